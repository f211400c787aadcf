//! The digest of a set: the same whatever the order, and one member can be put
//! in or taken out without the others.
//!
//! Method: LtHash (Bellare and Micciancio 1997; Lewi, Kim, Maykov and Weis 2019).
//! A member's BLAKE3 output of 2,048 bytes is read as 1,024 numbers of 16 bits,
//! and these are added up lane by lane, wrapping. To find another set with the
//! same sums is as hard as finding short vectors in a lattice, which plain sums
//! or exclusive-ors of hashes are not.

/// Numbers that are summed.
const LANES: usize = 1024;

/// The sums over a set's members; empty at first.
#[derive(Clone, Debug)]
pub(in crate::store) struct SetDigest(Vec<u16>);

impl Default for SetDigest {
    fn default() -> Self {
        Self(vec![0; LANES])
    }
}

impl SetDigest {
    /// The set of one member.
    pub fn of(member: &[u8]) -> Self {
        let mut bytes = vec![0; 2 * LANES];
        blake3::Hasher::new().update(member).finalize_xof().fill(&mut bytes);
        Self(bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect())
    }

    /// Adds every member of another set.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(lane, other)| *lane = lane.wrapping_add(*other));
    }

    /// Takes every member of another set away.
    pub fn remove(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(lane, other)| *lane = lane.wrapping_sub(*other));
    }

    /// The digest.
    pub fn finish(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        self.0.iter().for_each(|lane| {
            hasher.update(&lane.to_be_bytes());
        });
        hasher.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(members: &[&str]) -> SetDigest {
        let mut set = SetDigest::default();
        members.iter().for_each(|member| set.add(&SetDigest::of(member.as_bytes())));
        set
    }

    #[test]
    fn order_does_not_count_and_every_member_does() {
        let all = set(&["a", "b", "c"]);
        assert_eq!(all.finish(), set(&["c", "a", "b"]).finish());
        for other in [&["a", "b"][..], &["a", "b", "c", "c"], &["a", "b", "d"], &["ab", "c"], &[]] {
            assert_ne!(all.finish(), set(other).finish(), "{other:?}");
        }
        let mut fewer = all;
        fewer.remove(&SetDigest::of(b"b"));
        assert_eq!(fewer.finish(), set(&["a", "c"]).finish());
    }
}
