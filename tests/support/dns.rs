//! A name server on a free port of loopback, over UDP, with a zone that a test
//! fills and changes while it runs. What is not in the zone is answered with
//! NXDOMAIN, a name without the type that was asked with no records.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};

use mail_auth::hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use mail_auth::hickory_resolver::proto::rr::rdata::{A, AAAA, MX, PTR, TXT};
use mail_auth::hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

/// How a name is answered.
#[derive(Clone)]
enum Answer {
    Records(Vec<RData>),
    Failure,
    Silence,
}

type Zone = HashMap<(String, RecordType), Answer>;

/// A running name server; it ends with the test's process.
#[derive(Clone)]
pub struct Server {
    zone: Arc<Mutex<Zone>>,
    address: SocketAddr,
}

impl Server {
    pub fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let server = Self { zone: Arc::default(), address: socket.local_addr().unwrap() };
        let running = server.clone();
        std::thread::spawn(move || running.serve(&socket));
        server
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn txt(&self, name: &str, texts: &[&str]) {
        // A string of a record has at most 255 octets.
        let pieces =
            |text: &str| text.as_bytes().chunks(255).map(|piece| String::from_utf8(piece.into()).unwrap()).collect();
        let records = texts.iter().map(|text| RData::TXT(TXT::new(pieces(text)))).collect();
        self.set(name, RecordType::TXT, Answer::Records(records));
    }

    pub fn addresses(&self, name: &str, addresses: &[IpAddr]) {
        let (v4, v6) = addresses
            .iter()
            .map(|address| match address {
                IpAddr::V4(v4) => RData::A(A(*v4)),
                IpAddr::V6(v6) => RData::AAAA(AAAA(*v6)),
            })
            .partition(|data| matches!(data, RData::A(_)));
        self.set(name, RecordType::A, Answer::Records(v4));
        self.set(name, RecordType::AAAA, Answer::Records(v6));
    }

    pub fn ptr(&self, address: IpAddr, names: &[&str]) {
        let records = names.iter().map(|name| RData::PTR(PTR(full(name)))).collect();
        self.set(&Name::from(address).to_ascii(), RecordType::PTR, Answer::Records(records));
    }

    pub fn exchanges(&self, name: &str, servers: &[(u16, &str)]) {
        let records = servers.iter().map(|(preference, host)| RData::MX(MX::new(*preference, full(host)))).collect();
        self.set(name, RecordType::MX, Answer::Records(records));
    }

    /// Answers questions for a name's TXT records with SERVFAIL.
    pub fn fail(&self, name: &str) {
        self.set(name, RecordType::TXT, Answer::Failure);
    }

    /// Does not answer them at all.
    pub fn silence(&self, name: &str) {
        self.set(name, RecordType::TXT, Answer::Silence);
    }

    fn set(&self, name: &str, kind: RecordType, answer: Answer) {
        self.zone.lock().unwrap().insert((key(&full(name)), kind), answer);
    }

    fn serve(&self, socket: &UdpSocket) {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let Ok(question) = Message::from_vec(&buffer[..length]) else { continue };
            if let Some(reply) = self.reply(&question) {
                let _ = socket.send_to(&reply.to_vec().unwrap(), from);
            }
        }
    }

    fn reply(&self, question: &Message) -> Option<Message> {
        let query = question.queries.first()?.clone();
        let (name, kind) = (key(query.name()), query.query_type());
        let mut reply = Message::response(question.metadata.id, OpCode::Query);
        reply.metadata.recursion_available = true;
        reply.add_query(query.clone());
        let zone = self.zone.lock().unwrap();
        match zone.get(&(name.clone(), kind)) {
            Some(Answer::Records(records)) => {
                for data in records {
                    reply.add_answer(Record::from_rdata(query.name().clone(), 60, data.clone()));
                }
            }
            Some(Answer::Failure) => reply.metadata.response_code = ResponseCode::ServFail,
            Some(Answer::Silence) => return None,
            None if zone.keys().any(|(other, _)| *other == name) => {}
            None => reply.metadata.response_code = ResponseCode::NXDomain,
        }
        Some(reply)
    }
}

fn full(name: &str) -> Name {
    let mut name = Name::from_ascii(name).unwrap();
    name.set_fqdn(true);
    name
}

fn key(name: &Name) -> String {
    name.to_lowercase().to_ascii().trim_end_matches('.').to_owned()
}
