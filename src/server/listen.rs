//! Listening sockets: inherited from the service manager (systemd's socket activation), else opened
//! here.

use anyhow::{Context, anyhow, bail};
use std::{
    io::{self, ErrorKind},
    net::{self, SocketAddr},
    os::fd::{FromRawFd, RawFd},
};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Length of the kernel's accept queue. The kernel may limit it further (`net.core.somaxconn`).
const BACKLOG: u32 = 4096;

/// The inherited sockets, by name.
#[derive(Default)]
pub struct Sockets(Vec<(String, net::TcpListener)>);

impl Sockets {
    /// Reads the inherited sockets: `LISTEN_FDS` and related variables, see sd_listen_fds(3). Call
    /// it once, before anything else starts: children must not inherit them.
    pub fn inherited() -> anyhow::Result<Sockets> {
        let handed = sd_notify::listen_fds_with_names().context("LISTEN_FDS, LISTEN_PID or LISTEN_FDNAMES")?;
        let sockets: Vec<_> = handed.map(|(fd, name)| Ok((name, listening(fd)?))).collect::<anyhow::Result<_>>()?;
        if sockets.len() > 2 {
            bail!("{} sockets were inherited; expected at most two, `http` and `metrics`", sockets.len());
        }
        Ok(Sockets(sockets))
    }

    /// The inherited socket of this name, else the first inherited one without a name of ours, else
    /// a new one on this address.
    pub fn open(&mut self, name: &str, address: SocketAddr, variable: &str) -> anyhow::Result<Listener> {
        let named = |wanted: &[&str]| self.0.iter().position(|(name, _)| wanted.contains(&name.as_str()));
        let unnamed = || self.0.iter().position(|(name, _)| !["http", "metrics"].contains(&name.as_str()));
        if let Some(at) = named(&[name]).or_else(unnamed) {
            let (_, socket) = self.0.remove(at);
            return Ok(Listener { socket: TcpListener::from_std(socket)?, inherited: true });
        }
        let socket = bind(address).map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => anyhow!("{address} is taken by another program; {variable} sets another address"),
            _ => anyhow!("{variable}: can't listen on {address}: {error}"),
        })?;
        Ok(Listener { socket, inherited: false })
    }
}

/// An inherited descriptor, if it is valid.
fn listening(fd: RawFd) -> anyhow::Result<net::TcpListener> {
    // SAFETY: the service manager opened it for this process, and no other code here uses it.
    let socket = unsafe { net::TcpListener::from_raw_fd(fd) };
    let usable = socket.local_addr().is_ok() && socket2::SockRef::from(&socket).is_listener().unwrap_or(false);
    if !usable {
        bail!("the inherited descriptor {fd} is not a listening TCP socket");
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A listening socket.
pub struct Listener {
    socket: TcpListener,
    /// The service manager keeps it open, with its queue.
    inherited: bool,
}

impl Listener {
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.socket.accept().await
    }

    /// Closes the socket and returns the connections in its queue: the kernel has completed their
    /// handshakes, and would reset them (listen(2)). An inherited socket's queue stays for the next
    /// process.
    pub fn close(self) -> io::Result<Vec<(TcpStream, SocketAddr)>> {
        let mut waiting = Vec::new();
        if self.inherited {
            return Ok(waiting);
        }
        let socket = self.socket.into_std()?;
        loop {
            match socket.accept() {
                Ok((stream, peer)) => {
                    stream.set_nonblocking(true)?;
                    waiting.push((TcpStream::from_std(stream)?, peer));
                }
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(waiting),
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_in_use_is_refused() {
        let own = Sockets::default().open("http", "127.0.0.1:0".parse().unwrap(), "LEPTOS_SITE_ADDR").unwrap();
        let error = Sockets::default().open("http", own.local_addr().unwrap(), "LEPTOS_SITE_ADDR").err().unwrap().to_string();
        assert!(error.contains("taken") && error.contains("LEPTOS_SITE_ADDR"), "{error}");
    }

    #[tokio::test]
    async fn closing_returns_the_queued_connections() {
        let listener = Sockets::default().open("http", "127.0.0.1:0".parse().unwrap(), "LEPTOS_SITE_ADDR").unwrap();
        let address = listener.local_addr().unwrap();
        let queued: Vec<_> = (0..20).map(|_| net::TcpStream::connect(address).unwrap()).collect();
        assert_eq!(listener.close().unwrap().len(), queued.len());
        assert!(net::TcpStream::connect(address).is_err());
    }

    #[tokio::test]
    async fn inherited_sockets_match_by_name_then_by_order() {
        let made = |name: &str| {
            let socket = net::TcpListener::bind("127.0.0.1:0").unwrap();
            socket.set_nonblocking(true).unwrap();
            (socket.local_addr().unwrap(), (name.to_owned(), socket))
        };
        for (names, order) in [(["metrics", "http"], [1, 0]), (["unknown", "unknown"], [0, 1]), (["metrics", "web.socket"], [1, 0])] {
            let (addresses, sockets): (Vec<_>, Vec<_>) = names.into_iter().map(made).unzip();
            let mut sockets = Sockets(sockets);
            for (name, wanted) in ["http", "metrics"].into_iter().zip(order) {
                let listener = sockets.open(name, "192.0.2.1:1".parse().unwrap(), "X").unwrap();
                assert_eq!(listener.local_addr().unwrap(), addresses[wanted], "{name} of {names:?}");
            }
        }
    }
}
