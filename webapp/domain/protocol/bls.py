"""BLS12-381 signature check of the drand beacons: signature in G1, public key in G2, in plain integers.

It verifies public data only and holds no secret, so nothing here needs to run in constant time. Sources: RFC 9380
(hashing to the curve, suite BLS12381G1_XMD:SHA-256_SSWU_RO_), draft-irtf-cfrg-pairing-friendly-curves (curve, point
encoding), draws.md 1. One check costs about half a CPU second.

Shapes: an element of Fp is an int below P; of Fp2 a pair (a, b) = a + b·u with u² = -1; of Fp12 six of those, the
coefficients of 1, w … w⁵ with w⁶ = 1 + u. A point is a pair (x, y) and None stands for the point at infinity.
"""

from collections.abc import Sequence
from hashlib import sha256

from webapp.domain.protocol import isogeny

P = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
R = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
_LOOP = 0xD201000000010000  # the curve's parameter x without its sign, which cancels in an equation of two pairings
_G1_COFACTOR = _LOOP + 1
_COMPRESSED = 0x80  # and not 0x40, which marks the point at infinity

Fp2 = tuple[int, int]
Fp12 = list[Fp2]
G1 = tuple[int, int] | None
G2 = tuple[Fp2, Fp2] | None

G2_GENERATOR = (
    (
        0x024AA2B2F08F0A91260805272DC51051C6E47AD4FA403B02B4510B647AE3D1770BAC0326A805BBEFD48056C8C121BDB8,
        0x13E02B6052719F607DACD3A088274F65596BD0D09920B61AB5DA61BBDC7F5049334CF11213945D57E5AC7D055D042B7E,
    ),
    (
        0x0CE5D527727D6E118CC9CDC6DA2E351AADFD9BAA8CBDD3A76D429A695160D12C923AC9CC3BACA289E193548608B82801,
        0x0606C4A02EA734CC32ACD2B02BC28B99CB3E287E85A763AF267492AB572E99AB3F370D275CEC1DA1AAA9075FF05F79BE,
    ),
)


def verify(message: bytes, signature: bytes, public_key: bytes, dst: bytes) -> bool:
    """Whether e(signature, generator of G2) = e(hash of message, public key).

    `signature` is a compressed G1 point (48 bytes), `public_key` a compressed G2 point (96 bytes); anything that is not
    a point of the right subgroup is no valid signature.
    """
    try:
        signed, key = decode_g1(signature), decode_g2(public_key)
    except ValueError:
        return False
    hashed = hash_to_g1(message, dst)
    if hashed is None:
        return False
    return _product_is_one([((signed[0], P - signed[1]), G2_GENERATOR), (hashed, key)])


# Fields


def _mul2(a: Fp2, b: Fp2) -> Fp2:
    return (a[0] * b[0] - a[1] * b[1]) % P, (a[0] * b[1] + a[1] * b[0]) % P


def _sub2(a: Fp2, b: Fp2) -> Fp2:
    return (a[0] - b[0]) % P, (a[1] - b[1]) % P


def _inverse2(a: Fp2) -> Fp2:
    scale = pow(a[0] * a[0] + a[1] * a[1], -1, P)
    return a[0] * scale % P, -a[1] * scale % P


def _sqrt(a: int) -> int | None:
    """A square root in Fp, or None; P is 3 modulo 4."""
    root = pow(a, (P + 1) // 4, P)
    return root if root * root % P == a % P else None


def _sqrt2(a: Fp2) -> Fp2 | None:
    """A square root in Fp2 by way of the norm, or None."""
    norm = _sqrt(a[0] * a[0] + a[1] * a[1])
    if norm is None:
        return None
    half = pow(2, -1, P)
    for squared in ((a[0] + norm) * half % P, (a[0] - norm) * half % P):
        real = _sqrt(squared)
        if real:
            return real, a[1] * half * pow(real, -1, P) % P
    return None


def _mul12(f: Fp12, g: Fp12) -> Fp12:
    """Product of two polynomials in w, reduced by w⁶ = 1 + u; zero coefficients of `g` cost nothing."""
    real, imaginary = [0] * 11, [0] * 11
    for j, (c, d) in enumerate(g):
        if c or d:
            for i, (a, b) in enumerate(f):
                real[i + j] += a * c - b * d
                imaginary[i + j] += a * d + b * c
    for k in range(5):
        real[k] += real[k + 6] - imaginary[k + 6]
        imaginary[k] += real[k + 6] + imaginary[k + 6]
    return [(a % P, b % P) for a, b in zip(real[:6], imaginary[:6], strict=True)]


_ONE: Fp12 = [(1, 0), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0)]


def _power12(f: Fp12, exponent: int) -> Fp12:
    power = f
    for bit in bin(exponent)[3:]:
        power = _mul12(power, power)
        if bit == "1":
            power = _mul12(power, f)
    return power


# Points


def _add1(p: G1, q: G1) -> G1:
    """Sum on y² = x³ + 4 over Fp."""
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if (p[1] + q[1]) % P == 0:
            return None
        slope = 3 * p[0] * p[0] * pow(2 * p[1], -1, P)
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P)
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def _slope2(p: tuple[Fp2, Fp2], q: tuple[Fp2, Fp2]) -> Fp2:
    """Slope of the line through two points of the twist, the tangent when they are one."""
    if p == q:
        squared = _mul2(p[0], p[0])
        return _mul2((3 * squared[0], 3 * squared[1]), _inverse2((2 * p[1][0], 2 * p[1][1])))
    return _mul2(_sub2(q[1], p[1]), _inverse2(_sub2(q[0], p[0])))


def _add2(p: G2, q: G2) -> G2:
    """Sum on the twist y² = x³ + 4·(1 + u) over Fp2."""
    if p is None or q is None:
        return p or q
    if p[0] == q[0] and p[1] != q[1]:
        return None
    return _third2(p, q, _slope2(p, q))


def _third2(p: tuple[Fp2, Fp2], q: tuple[Fp2, Fp2], slope: Fp2) -> tuple[Fp2, Fp2]:
    x = _sub2(_sub2(_mul2(slope, slope), p[0]), q[0])
    return x, _sub2(_mul2(slope, _sub2(p[0], x)), p[1])


def _times1(scalar: int, point: G1) -> G1:
    total: G1 = None
    for bit in f"{scalar:b}":
        total = _add1(total, total)
        if bit == "1":
            total = _add1(total, point)
    return total


def _times2(scalar: int, point: G2) -> G2:
    total: G2 = None
    for bit in f"{scalar:b}":
        total = _add2(total, total)
        if bit == "1":
            total = _add2(total, point)
    return total


def _coordinates(data: bytes, length: int) -> tuple[list[int], bool]:
    """The coordinates in a compressed point, highest first, and whether y is the larger of the two roots."""
    if len(data) != length or data[0] & 0xC0 != _COMPRESSED:
        raise ValueError("not a compressed point")
    numbers = [int.from_bytes(data[at : at + 48]) for at in range(0, length, 48)]
    numbers[0] &= (1 << 381) - 1
    if max(numbers) >= P:
        raise ValueError("a coordinate is not reduced")
    return numbers, bool(data[0] & 0x20)


def decode_g1(data: bytes) -> tuple[int, int]:
    """A point of G1 from its 48 compressed bytes; ValueError when there is none."""
    (x,), larger = _coordinates(data, 48)
    y = _sqrt(x**3 + 4)
    if y is None:
        raise ValueError("not on the curve")
    point = (x, y if (2 * y > P) == larger else P - y)
    if _times1(R, point) is not None:
        raise ValueError("not in the subgroup")
    return point


def decode_g2(data: bytes) -> tuple[Fp2, Fp2]:
    """A point of G2 from its 96 compressed bytes; ValueError when there is none."""
    (imaginary, real), larger = _coordinates(data, 96)
    x = (real, imaginary)
    cube = _mul2(x, _mul2(x, x))
    y = _sqrt2(((cube[0] + 4) % P, (cube[1] + 4) % P))
    if y is None:
        raise ValueError("not on the curve")
    if (2 * (y[1] or y[0]) > P) != larger:
        y = (-y[0] % P, -y[1] % P)
    if _times2(R, (x, y)) is not None:
        raise ValueError("not in the subgroup")
    return x, y


# Hashing to the curve


def _expand(message: bytes, dst: bytes, length: int) -> bytes:
    """expand_message_xmd with SHA-256 (RFC 9380, 5.3.1)."""
    tag = dst + bytes([len(dst)])
    first = sha256(bytes(64) + message + length.to_bytes(2) + b"\0" + tag).digest()
    block, stream = bytes(32), b""
    for i in range(1, length // 32 + 1):
        mixed = bytes(a ^ b for a, b in zip(first, block, strict=True))
        block = sha256(mixed + bytes([i]) + tag).digest()
        stream += block
    return stream


def _curve_point(u: int) -> tuple[int, int]:
    """A point of the isogenous curve from a field element: simplified SWU (RFC 9380, 6.6.2)."""
    a, b = isogeny.A, isogeny.B
    shift = isogeny.Z * u * u % P
    denominator = (shift * shift + shift) % P
    x = -b * pow(a, -1, P) * (1 + pow(denominator, -1, P)) if denominator else b * pow(isogeny.Z * a, -1, P)
    y = _sqrt(x**3 + a * x + b)
    if y is None:
        x = shift * x
        y = _sqrt(x**3 + a * x + b)
    if y is None:
        raise ArithmeticError("one of the two candidates is a square")
    return x % P, y if y % 2 == u % 2 else P - y


def _polynomial(coefficients: Sequence[int], x: int) -> int:
    total = 0
    for coefficient in reversed(coefficients):
        total = (total * x + coefficient) % P
    return total


def _isogeny(point: tuple[int, int]) -> tuple[int, int]:
    """The same point on BLS12-381 (RFC 9380, appendix E.2)."""
    x, y = point
    x_denominator = pow(_polynomial(isogeny.X_DEN, x), -1, P)
    y_denominator = pow(_polynomial(isogeny.Y_DEN, x), -1, P)
    return _polynomial(isogeny.X_NUM, x) * x_denominator % P, y * _polynomial(isogeny.Y_NUM, x) * y_denominator % P


def hash_to_g1(message: bytes, dst: bytes) -> G1:
    """The point of G1 that a message hashes to under this domain separation tag (RFC 9380, 3)."""
    stream = _expand(message, dst, 128)
    elements = int.from_bytes(stream[:64]) % P, int.from_bytes(stream[64:]) % P
    first, second = (_isogeny(_curve_point(u)) for u in elements)
    return _times1(_G1_COFACTOR, _add1(first, second))


# Pairing


def _line(p: tuple[int, int], at: tuple[Fp2, Fp2], slope: Fp2) -> Fp12:
    """The line through a point of the twist with this slope, taken at `p` and scaled by w³, which the end removes."""
    crossing = _sub2(_mul2(slope, at[0]), at[1])
    along = (-slope[0] * p[0] % P, -slope[1] * p[0] % P)
    return [crossing, (0, 0), along, (p[1], 0), (0, 0), (0, 0)]


def _walk(
    value: Fp12,
    pairs: list[tuple[tuple[int, int], tuple[Fp2, Fp2]]],
    walked: list[tuple[Fp2, Fp2]],
    steps: list[tuple[Fp2, Fp2]],
) -> tuple[Fp12, list[tuple[Fp2, Fp2]]]:
    """One step of the Miller loops: add `steps` to the points walked so far, take up the lines that this draws."""
    reached = []
    for (p, _), at, step in zip(pairs, walked, steps, strict=True):
        slope = _slope2(at, step)
        value = _mul12(value, _line(p, at, slope))
        reached.append(_third2(at, step, slope))
    return value, reached


def _product_is_one(pairs: list[tuple[tuple[int, int], tuple[Fp2, Fp2]]]) -> bool:
    """Whether the pairings of these points multiply to one: all Miller loops run together, one final power."""
    value, walked = _ONE, [q for _, q in pairs]
    for bit in bin(_LOOP)[3:]:
        value = _mul12(value, value)
        value, walked = _walk(value, pairs, walked, walked)
        if bit == "1":
            value, walked = _walk(value, pairs, walked, [q for _, q in pairs])
    # value^((P¹² - 1)/R) = 1 asks for conjugate(g) = g with g = value^((P⁶ + 1)/R): the odd powers of w must vanish.
    return not any(part for coefficient in _power12(value, (P**6 + 1) // R)[1::2] for part in coefficient)
