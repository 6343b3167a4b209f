//! A mail server on loopback: the part of SMTP (RFC 5321) for accepting or refusing mails.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// An accepted mail.
#[derive(Clone, Debug)]
pub struct Received {
    pub to: Vec<String>,
    /// Headers and body, lines ending in LF.
    pub text: String,
}

/// The server's behaviour.
#[derive(Clone, Debug, PartialEq)]
pub enum Mood {
    Takes,
    /// Sends no greeting.
    Busy,
    /// Refuses this recipient.
    Refuses(&'static str),
}

#[derive(Clone)]
pub struct SmtpServer {
    port: u16,
    mood: Arc<Mutex<Mood>>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl SmtpServer {
    pub fn start() -> SmtpServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = SmtpServer { port, mood: Arc::new(Mutex::new(Mood::Takes)), received: Arc::default() };
        let serving = server.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let serving = serving.clone();
                // A disconnecting client only ends its own thread.
                thread::spawn(move || serving.converse(client));
            }
        });
        server
    }

    /// Requires this login.
    pub fn url(&self) -> String {
        format!("smtp://app:secret%20word@127.0.0.1:{}", self.port)
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    fn converse(&self, client: TcpStream) -> std::io::Result<()> {
        let mood = self.mood.lock().unwrap().clone();
        let mut lines = BufReader::new(client.try_clone()?).lines();
        let say = |line: &str| (&client).write_all(format!("{line}\r\n").as_bytes());
        if mood == Mood::Busy {
            return say("421 too busy");
        }
        say("220 test")?;
        let (mut to, mut known) = (Vec::new(), false);
        while let Some(line) = lines.next().transpose()? {
            let command = line.to_ascii_uppercase();
            if command.starts_with("EHLO") {
                say("250-test\r\n250 AUTH PLAIN")?;
            } else if command.starts_with("AUTH PLAIN") {
                // \0app\0secret word
                known = line.ends_with("AGFwcABzZWNyZXQgd29yZA==");
                say(if known { "235 welcome" } else { "535 who are you" })?;
            } else if !known {
                say("530 sign in first")?;
            } else if command.starts_with("RCPT") {
                let address = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                if mood == Mood::Takes || !matches!(&mood, Mood::Refuses(refused) if *refused == address) {
                    to.push(address);
                    say("250 ok")?;
                } else {
                    say("550 no such person")?;
                }
            } else if command == "DATA" {
                say("354 go on")?;
                let mut text = String::new();
                for line in lines.by_ref() {
                    match line?.as_str() {
                        "." => break,
                        line => text.push_str(&format!("{}\n", line.strip_prefix('.').unwrap_or(line))),
                    }
                }
                self.received.lock().unwrap().push(Received { to: std::mem::take(&mut to), text });
                say("250 taken")?;
            } else if command == "QUIT" {
                return say("221 bye");
            } else {
                say("250 ok")?;
            }
        }
        Ok(())
    }
}
