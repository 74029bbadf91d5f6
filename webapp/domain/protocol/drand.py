"""The public beacon quicknet: which round comes when, and whether a pasted round is genuine, with no network.

The value of a future round is fixed but unknown: it is a unique signature over the round's number, so nobody can choose
it and an outage only delays it (draws.md 1). Any mirror, and any person who pastes the text, will do, because the
signature is checked here.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from webapp.domain.protocol import bls
from webapp.domain.protocol.errors import ProtocolError

_SIGNATURE = re.compile(r"[0-9a-f]{96}")
_DST = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"


@dataclass(frozen=True, slots=True)
class Chain:
    """A beacon chain of the scheme bls-unchained-g1-rfc9380; the period is in seconds, the genesis a Unix time."""

    name: str
    period: int
    genesis: int
    public_key: str
    group_hash: str

    @property
    def hash(self) -> str:
        """The chain's own name, pinned in the seal: SHA-256 over everything that defines it."""
        parts = self.period.to_bytes(4), self.genesis.to_bytes(8), bytes.fromhex(self.public_key + self.group_hash)
        return sha256(b"".join(parts) + self.name.encode()).hexdigest()


QUICKNET = Chain(
    name="quicknet",
    period=3,
    genesis=1692803367,
    public_key=(
        "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
        "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
    ),
    group_hash="f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e",
)


@dataclass(frozen=True, slots=True)
class Beacon:
    """One round that was checked; signature and randomness are lower-case hex, 96 and 64 digits."""

    round: int
    signature: str
    randomness: str


def round_at(moment: datetime, chain: Chain = QUICKNET) -> int:
    """The first round at or after an instant: ceil((T - genesis) / period) + 1."""
    since = moment - _genesis(chain)
    if since < timedelta(0):
        raise ProtocolError(f"{moment.isoformat()} is before the first round of {chain.name}.")
    return -(-since // timedelta(seconds=chain.period)) + 1


def time_of(round_number: int, chain: Chain = QUICKNET) -> datetime:
    """The instant, in UTC, at which a round becomes public: genesis + (r - 1) · period."""
    if round_number < 1:
        raise ProtocolError(f"Rounds of {chain.name} count from 1; {round_number} is none.")
    return _genesis(chain) + timedelta(seconds=(round_number - 1) * chain.period)


def _genesis(chain: Chain) -> datetime:
    return datetime.fromtimestamp(chain.genesis, UTC)


def randomness(signature: str) -> str:
    """The public value of a round: the SHA-256 of its signature (96 hex digits), as 64 hex digits."""
    return sha256(bytes.fromhex(signature)).hexdigest()


def verify(round_number: int, signature: str, chain: Chain = QUICKNET) -> bool:
    """Whether this is the chain's signature (96 lower-case hex digits) of that round; half a CPU second."""
    if not (_SIGNATURE.fullmatch(signature) and 1 <= round_number < 2**64):
        return False
    message = sha256(round_number.to_bytes(8)).digest()
    return bls.verify(message, bytes.fromhex(signature), bytes.fromhex(chain.public_key), _DST)


def read_beacon(text: str | bytes, round_number: int, chain: Chain = QUICKNET) -> Beacon:
    """The round a mirror answered or a person pasted, once it proves to be the one that was asked for."""
    try:
        told = json.loads(text)
        signature = str(told["signature"]).lower()
        told_round = told["round"]
        told_randomness = str(told.get("randomness", "")).lower()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise ProtocolError(
            "A beacon answer is a JSON object with round and signature; this text is none."
        ) from problem
    if told_round != round_number:
        raise ProtocolError(f"The draw waits for round {round_number} of {chain.name}; this is round {told_round!r}.")
    if not verify(round_number, signature, chain):
        raise ProtocolError(f"The signature is not the one of round {round_number} of {chain.name}.")
    value = randomness(signature)
    if told_randomness not in {"", value}:
        raise ProtocolError(f"The randomness does not follow from the signature; it should read {value}.")
    return Beacon(round_number, signature, value)
