//! x
pub mod stripe_events;
use crate::{config::{Config,Secret},service::Platform};
#[derive(Debug)]
pub struct Access{pub webhook_secret:Secret}
impl Access{pub fn remembered(_c:&mut Config)->anyhow::Result<Access>{todo!()} pub fn to_json(&self)->serde_json::Value{todo!()}}
impl std::fmt::Display for Access{fn fmt(&self,_f:&mut std::fmt::Formatter<'_>)->std::fmt::Result{Ok(())}}
pub async fn fill(_:&Platform,_:&Access)->anyhow::Result<()>{Ok(())}
