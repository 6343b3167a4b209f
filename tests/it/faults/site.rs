//! Servers and their engines, all of which can be killed and restarted.

use super::{
    postgres::Postgres,
    senders::{Addresses, Customer, wait_until},
};
use crate::support::{
    clickhouse::Engine,
    program::{Running, Workplace},
};
use rand::{RngExt, rngs::StdRng, seq::SliceRandom};
use std::{
    fs::{self, OpenOptions},
    process::{Command, Output},
};

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Any one.
    Server,
    Servers,
    PostgreSql,
    /// A backend of PostgreSQL.
    Backend,
    ClickHouse,
    ClickHouseAndServer,
    Everything,
}

/// Dropped in this order: dependants first.
pub struct Site {
    servers: Vec<Option<Running>>,
    clickhouse: Option<Engine>,
    postgres: Postgres,
    place: Workplace,
    customers: Vec<Customer>,
    addresses: Addresses,
}

impl Site {
    pub fn start(servers: usize, with_clickhouse: bool) -> Site {
        let postgres = Postgres::start();
        let clickhouse = with_clickhouse.then(Engine::not_started);
        let mut site = Site {
            servers: (0..servers).map(|_| None).collect(),
            clickhouse,
            postgres,
            place: Workplace::new(),
            customers: Vec::new(),
            addresses: Addresses::default(),
        };
        site.addresses.lock().unwrap().resize(servers, None);
        site.customers = ["lumen", "orbit"].map(|name| site.add_customer(name)).into();
        site.start_again();
        site
    }

    pub fn addresses(&self) -> Addresses {
        self.addresses.clone()
    }

    pub fn customers(&self) -> &[Customer] {
        &self.customers
    }

    pub fn database_url(&self) -> &str {
        self.postgres.url()
    }

    pub fn clickhouse(&self) -> Option<&Engine> {
        self.clickhouse.as_ref()
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    pub fn kill(&mut self, fault: Fault, rng: &mut StdRng) {
        let any = rng.random_range(0..self.servers.len());
        match fault {
            Fault::Server => self.kill_server(any),
            Fault::Servers => self.kill_servers(),
            Fault::PostgreSql => self.kill_postgres(),
            Fault::Backend => self.postgres.kill_a_backend(rng),
            Fault::ClickHouse => self.kill_clickhouse(),
            Fault::ClickHouseAndServer => {
                self.kill_clickhouse();
                self.kill_server(any);
            }
            Fault::Everything => {
                let mut kills: [fn(&mut Site); 3] = [Site::kill_servers, Site::kill_clickhouse, Site::kill_postgres];
                kills.shuffle(rng);
                kills.iter().for_each(|kill| kill(self));
            }
        }
    }

    /// Whether some server responds before [`start_again`](Site::start_again).
    pub fn takes_events_without(&self, fault: Fault) -> bool {
        match fault {
            Fault::Server | Fault::ClickHouseAndServer => self.servers.len() > 1,
            Fault::Backend | Fault::ClickHouse => true,
            Fault::Servers | Fault::PostgreSql | Fault::Everything => false,
        }
    }

    /// Restarts everything that does not run.
    pub fn start_again(&mut self) {
        drop(self.postgres.start_again());
        if let Some(clickhouse) = self.clickhouse.as_mut().filter(|clickhouse| !clickhouse.is_running()) {
            clickhouse.start();
        }
        for number in 0..self.servers.len() {
            if self.servers[number].is_some() {
                continue;
            }
            // Retried, as a service manager does, while PostgreSQL is recovering.
            wait_until("a server starts", || {
                let log = OpenOptions::new().create(true).append(true).open(self.place.0.join(format!("server-{number}.log"))).unwrap();
                self.servers[number] = Running::try_start(self.command(&["serve"]).stderr(log));
                self.servers[number].is_some()
            });
            self.addresses.lock().unwrap()[number] = self.servers[number].as_ref().map(|server| server.address.clone());
        }
    }

    fn kill_server(&mut self, number: usize) {
        if let Some(mut server) = self.servers[number].take() {
            server.signal(libc::SIGKILL);
        }
        // After the kill, so that requests were on their way; another process may have its port by
        // now.
        self.addresses.lock().unwrap()[number] = None;
    }

    fn kill_servers(&mut self) {
        (0..self.servers.len()).for_each(|number| self.kill_server(number));
    }

    fn kill_postgres(&mut self) {
        self.postgres.kill();
    }

    fn kill_clickhouse(&mut self) {
        self.clickhouse.iter_mut().for_each(Engine::kill);
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.place.command(args);
        command.env("DATABASE_URL", self.postgres.url()).env("STRIPE_WEBHOOK_SECRET", "whsec_of_this_test");
        if let Some(clickhouse) = &self.clickhouse {
            command.env("CLICKHOUSE_URL", clickhouse.url());
        }
        command
    }

    fn add_customer(&self, name: &str) -> Customer {
        let output_of = |args: &[&str]| {
            let output = self.run(args);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let (stripe_id, email) = (format!("cus_{name}"), format!("billing@{name}.example"));
        let id = output_of(&["customer", "add", "--stripe-id", &stripe_id, "--name", name, "--email", &email, "--currency", "usd"]);
        let key = output_of(&["api-key", "create", "--customer", &id, "--name", "machines"]);
        Customer { id: id.parse().unwrap(), key }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for number in 0..self.servers.len() {
                let log = fs::read_to_string(self.place.0.join(format!("server-{number}.log"))).unwrap_or_default();
                let lines: Vec<&str> = log.lines().collect();
                eprintln!("the last words of server {number}:\n{}", lines[lines.len().saturating_sub(40)..].join("\n"));
            }
        }
    }
}
