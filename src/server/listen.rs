//! Listening sockets. Whoever starts the process may hand them over, as systemd's socket activation does; else they are opened here, with
//! `reuse-port` beside those of an older process.

use anyhow::{Context, anyhow, bail};
use std::{
    io::{self, ErrorKind},
    net::{self, SocketAddr},
    os::fd::{AsRawFd, FromRawFd, RawFd},
};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Connections that the kernel keeps until they are taken. It may have a lower limit (`net.core.somaxconn`).
const BACKLOG: u32 = 4096;

/// The sockets that the process was started with, by their names.
#[derive(Default)]
pub struct Sockets(Vec<(String, net::TcpListener)>);

impl Sockets {
    /// What the service manager handed over: `LISTEN_FDS` and its like, see sd_listen_fds(3). To be called once, before anything else
    /// starts: children don't inherit them from here on.
    pub fn inherited() -> anyhow::Result<Sockets> {
        let handed = sd_notify::listen_fds_with_names().context("LISTEN_FDS, LISTEN_PID or LISTEN_FDNAMES")?;
        let sockets: Vec<_> = handed.map(|(fd, name)| Ok((name, listening(fd)?))).collect::<anyhow::Result<_>>()?;
        if sockets.len() > 2 {
            bail!("{} sockets were handed over; there is use for two, `http` and `metrics`", sockets.len());
        }
        Ok(Sockets(sockets))
    }

    /// The socket of this name, else the first that has none of ours, else a new one on this address.
    pub fn open(&mut self, name: &str, address: SocketAddr, variable: &str, reuse_port: bool) -> anyhow::Result<Listener> {
        let named = |wanted: &[&str]| self.0.iter().position(|(name, _)| wanted.contains(&name.as_str()));
        let unnamed = || self.0.iter().position(|(name, _)| !["http", "metrics"].contains(&name.as_str()));
        if let Some(at) = named(&[name]).or_else(unnamed) {
            let (_, socket) = self.0.remove(at);
            return Ok(Listener { socket: TcpListener::from_std(socket)?, kind: Kind::Inherited });
        }
        let kind = if reuse_port { Kind::Beside } else { Kind::Own };
        let socket = bind(address, kind).map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => anyhow!("{address} is taken by another program; {variable} sets another address"),
            _ => anyhow!("{variable}: can't listen on {address}: {error}"),
        })?;
        Ok(Listener { socket, kind })
    }
}

/// A descriptor that was handed over, if it is what it should be.
fn listening(fd: RawFd) -> anyhow::Result<net::TcpListener> {
    // SAFETY: the service manager opened it for this process, and nobody else here has taken it.
    let socket = unsafe { net::TcpListener::from_raw_fd(fd) };
    let usable = socket.local_addr().is_ok() && socket2::SockRef::from(&socket).is_listener().unwrap_or(false);
    if !usable {
        bail!("descriptor {fd}, which was handed over, is no listening TCP socket");
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn bind(address: SocketAddr, kind: Kind) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    if kind == Kind::Beside {
        socket.set_reuseport(true)?;
    }
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Own,
    /// Others may listen on the same address, each with a queue of its own.
    Beside,
    /// Somebody else keeps it open, and its queue.
    Inherited,
}

/// A socket that takes connections.
pub struct Listener {
    socket: TcpListener,
    kind: Kind,
}

impl Listener {
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.socket.accept().await
    }

    /// From here on new connections come to this process, not to an older one on the same address. That one can then close its socket
    /// without resetting what the kernel would have put into its queue.
    pub fn take_over(&self) -> io::Result<()> {
        match self.kind {
            Kind::Beside => steer_to_newest(&self.socket),
            Kind::Own | Kind::Inherited => Ok(()),
        }
    }

    /// Closes the socket, and gives the connections that wait in its queue: the kernel has welcomed them, and would reset them. The queue of
    /// an inherited one stays, for the next process.
    pub fn close(self) -> io::Result<Vec<(TcpStream, SocketAddr)>> {
        let mut waiting = Vec::new();
        if self.kind == Kind::Inherited {
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

/// Sockets of one address with `SO_REUSEPORT` are a group, in the order in which they began to listen, and the kernel spreads connections over
/// it. A program of one instruction gives them all to the last. Once others have left, its number is none of the group's, and the kernel
/// spreads them over who is there: this one.
#[cfg(target_os = "linux")]
fn steer_to_newest(socket: &TcpListener) -> io::Result<()> {
    let last = listening_on(socket.local_addr()?)?.saturating_sub(1);
    if last == 0 {
        return Ok(());
    }
    let mut answer = libc::sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k: last };
    let program = libc::sock_fprog { len: 1, filter: &mut answer };
    // SAFETY: the kernel copies the program, which lives as long as the call, by the size that it is given.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_REUSEPORT_CBPF,
            (&raw const program).cast(),
            size_of_val(&program) as libc::socklen_t,
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(not(target_os = "linux"))]
fn steer_to_newest(_: &TcpListener) -> io::Result<()> {
    Err(io::Error::new(ErrorKind::Unsupported, "only Linux can hand an address over between processes"))
}

/// How many sockets listen on exactly this address.
#[cfg(target_os = "linux")]
fn listening_on(address: SocketAddr) -> io::Result<u32> {
    let (table, wanted) = match address {
        SocketAddr::V4(v4) => ("/proc/net/tcp", words(&v4.ip().octets())),
        SocketAddr::V6(v6) => ("/proc/net/tcp6", words(&v6.ip().octets())),
    };
    Ok(count_listening(&std::fs::read_to_string(table)?, &format!("{wanted}:{:04X}", address.port())))
}

/// As the kernel prints addresses: in words of the machine's byte order.
#[cfg(target_os = "linux")]
fn words(octets: &[u8]) -> String {
    octets.as_chunks::<4>().0.iter().map(|word| format!("{:08X}", u32::from_ne_bytes(*word))).collect()
}

#[cfg(target_os = "linux")]
fn count_listening(table: &str, address: &str) -> u32 {
    const LISTEN: &str = "0A";
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row.get(1) == Some(&address) && row.get(3) == Some(&LISTEN)).count() as u32
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn beside(address: SocketAddr) -> Listener {
        Sockets::default().open("http", address, "LEPTOS_SITE_ADDR", true).unwrap()
    }

    #[tokio::test]
    async fn the_newest_of_an_address_gets_every_connection_and_the_older_loses_none() {
        let older = beside("127.0.0.1:0".parse().unwrap());
        let address = older.local_addr().unwrap();
        older.take_over().unwrap();
        let early: Vec<_> = (0..20).map(|_| net::TcpStream::connect(address).unwrap()).collect();
        let newer = beside(address);
        newer.take_over().unwrap();
        let late: Vec<_> = (0..20).map(|_| net::TcpStream::connect(address).unwrap()).collect();
        assert_eq!(older.close().unwrap().len(), early.len());
        let last: Vec<_> = (0..20).map(|_| net::TcpStream::connect(address).unwrap()).collect();
        assert_eq!(newer.close().unwrap().len(), late.len() + last.len());
    }

    #[tokio::test]
    async fn without_the_setting_an_address_is_somebodys_alone() {
        let own = Sockets::default().open("http", "127.0.0.1:0".parse().unwrap(), "LEPTOS_SITE_ADDR", false).unwrap();
        let error = Sockets::default().open("http", own.local_addr().unwrap(), "LEPTOS_SITE_ADDR", true).err().unwrap().to_string();
        assert!(error.contains("taken") && error.contains("LEPTOS_SITE_ADDR"), "{error}");
    }

    #[tokio::test]
    async fn sockets_are_known_by_their_names_and_else_by_their_order() {
        let made = |name: &str| {
            let socket = net::TcpListener::bind("127.0.0.1:0").unwrap();
            socket.set_nonblocking(true).unwrap();
            (socket.local_addr().unwrap(), (name.to_owned(), socket))
        };
        for (names, order) in [(["metrics", "http"], [1, 0]), (["unknown", "unknown"], [0, 1]), (["metrics", "web.socket"], [1, 0])] {
            let (addresses, sockets): (Vec<_>, Vec<_>) = names.into_iter().map(made).unzip();
            let mut sockets = Sockets(sockets);
            for (name, wanted) in ["http", "metrics"].into_iter().zip(order) {
                let listener = sockets.open(name, "192.0.2.1:1".parse().unwrap(), "X", false).unwrap();
                assert_eq!(listener.local_addr().unwrap(), addresses[wanted], "{name} of {names:?}");
            }
        }
    }

    #[test]
    fn listening_sockets_are_counted_by_address() {
        let table = "  sl  local_address rem_address   st\n   0: 0100007F:1F90 00000000:0000 0A 0:0\n   1: 0100007F:1F90 0100007F:D431 01 0:0\n   \
                     2: 0100007F:1F90 00000000:0000 0A 0:0\n   3: 00000000:1F90 00000000:0000 0A 0:0\n";
        assert_eq!(count_listening(table, &format!("{}:1F90", words(&u32::from_ne_bytes([127, 0, 0, 1]).to_ne_bytes()))), 2);
        assert_eq!(count_listening(table, "0100007F:1F91"), 0);
    }
}
