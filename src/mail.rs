//! Mails: sent to the SMTP server of `SMTP_URL`, or written to the log without one.

use crate::{
    config::{Encryption, Smtp},
    domain::email::EmailAddress,
    telemetry,
};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};
use std::{sync::Arc, time::Duration};

/// Timeout of the mail server.
const PATIENCE: Duration = Duration::from_secs(20);

/// A short plain-text mail to one recipient.
#[derive(Clone, Debug)]
pub struct Mail<'a> {
    pub to: &'a EmailAddress,
    pub subject: String,
    pub text: String,
    /// Identifies the mail, so that a duplicate can be recognised: letters, digits, dots and
    /// hyphens.
    pub id: String,
}

/// Why a mail was not sent. Never contains the password.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("the mail can't be written: {0}")]
    Unwritable(String),
    #[error("the mail server rejected it: {0}")]
    Refused(#[from] lettre::transport::smtp::Error),
}

/// Sends mails; cheap to clone.
#[derive(Clone)]
pub struct Mailer(Arc<Route>);

struct Route {
    smtp: Option<Smtp>,
    from: Mailbox,
}

impl Mailer {
    /// Without a server, mails are logged.
    pub fn new(smtp: Option<Smtp>, from: Mailbox) -> Mailer {
        Mailer(Arc::new(Route { smtp, from }))
    }

    /// Sends a mail; from then on its delivery is the server's task.
    pub async fn send(&self, mail: Mail<'_>) -> Result<(), MailError> {
        let sent = self.hand_over(mail).await;
        metrics::counter!(telemetry::MAILS, "result" => if sent.is_ok() { "sent" } else { "failed" }).increment(1);
        sent
    }

    async fn hand_over(&self, mail: Mail<'_>) -> Result<(), MailError> {
        let Some(smtp) = &self.0.smtp else {
            tracing::info!(to = %mail.to, subject = mail.subject, text = mail.text, "mail not sent: SMTP_URL is not set");
            return Ok(());
        };
        let message = self.write(mail)?;
        transport(smtp)?.send(message).await?;
        Ok(())
    }

    fn write(&self, mail: Mail<'_>) -> Result<Message, MailError> {
        let to = mail.to.as_str().parse().map_err(|error: lettre::address::AddressError| MailError::Unwritable(error.to_string()))?;
        let from = self.0.from.clone();
        let id = format!("<{}@{}>", mail.id, from.email.domain());
        let mut message = Message::builder()
            .from(from)
            .to(Mailbox::new(None, to))
            .subject(mail.subject)
            .message_id(Some(id))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text)
            .map_err(|error| MailError::Unwritable(error.to_string()))?;
        // RFC 3834: prevents automatic replies.
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        message.headers_mut().insert_raw(HeaderValue::new(name, "auto-generated".to_owned()));
        Ok(message)
    }
}

fn transport(smtp: &Smtp) -> Result<AsyncSmtpTransport<Tokio1Executor>, lettre::transport::smtp::Error> {
    let tls = match smtp.encryption {
        Encryption::Implicit => Tls::Wrapper(TlsParameters::new(smtp.host.clone())?),
        Encryption::Required => Tls::Required(TlsParameters::new(smtp.host.clone())?),
        Encryption::None => Tls::None,
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host).port(smtp.port).tls(tls).timeout(Some(PATIENCE));
    let builder = match &smtp.login {
        None => builder,
        Some((user, password)) => builder.credentials(Credentials::new(user.clone(), password.0.clone())),
    };
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mailer() -> Mailer {
        Mailer::new(None, "billing@billing.example.com".parse().unwrap())
    }

    #[test]
    fn mails_are_plain_text_and_auto_submitted() {
        let to = "a@b.example".parse().unwrap();
        let mail = Mail { to: &to, subject: "Änderung".into(), text: "Hello\n".into(), id: "usage-alert-7".into() };
        let written = String::from_utf8(mailer().write(mail).unwrap().formatted()).unwrap();
        for line in [
            "From: billing@billing.example.com",
            "To: a@b.example",
            "Message-ID: <usage-alert-7@billing.example.com>",
            "Auto-Submitted: auto-generated",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(written.contains(line), "{written}");
        }
    }

    #[test]
    fn the_default_sender_is_valid() {
        let config = crate::config::Config::read(include_str!("../Leptos.toml"), &|_: &str| None).unwrap();
        let to = "a@b.example".parse().unwrap();
        let mail = Mail { to: &to, subject: String::new(), text: String::new(), id: "x".into() };
        assert!(Mailer::new(None, config.mail_from).write(mail).is_ok());
    }

    proptest! {
        #[test]
        fn every_valid_address_can_be_used(local in "[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}", domain in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?\\.[a-z]{2,10}") {
            let to: EmailAddress = format!("{local}@{domain}").parse().unwrap();
            let written = mailer().write(Mail { to: &to, subject: String::new(), text: String::new(), id: "x".into() });
            prop_assert!(written.is_ok(), "{:?}", written.err());
        }
    }
}
