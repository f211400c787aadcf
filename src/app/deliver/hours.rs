//! Waiting for a time at which something may be sent ([`hours::shut`]).

use crate::app::campaign::hours;
use crate::app::deliver::climb::Line;
use crate::app::deliver::ending::Standstill;
use crate::error::Result;
use crate::telemetry::event;

impl Line {
    /// Waits until something may be sent, where waiting was asked for; otherwise,
    /// or when it was stopped meanwhile, says why nothing is sent.
    pub(in crate::app) async fn hours(&mut self) -> Result<Option<Standstill>> {
        while let Some(hours::Shut { until_ms, why }) = hours::shut(&self.app).await? {
            if !self.wait {
                event::sending_waits(self.campaign.id, &why);
                return Ok(Some(Standstill::until(until_ms, why)));
            }
            if let Some(stopped) = self.wait_until(until_ms, &why, "").await? {
                return Ok(Some(stopped));
            }
        }
        Ok(None)
    }
}
