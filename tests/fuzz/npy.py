"""npy files as others might write them, most of them lying about what follows."""

from hypothesis import strategies as st


def npy(header: str, body: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    size = len(header).to_bytes(2 if version == b"\x01\x00" else 4, "little")
    return b"\x93NUMPY" + version + size + header.encode() + body


def arrays() -> st.SearchStrategy[bytes]:
    """Any; the bodies are too short, but for one of the length of some."""
    types = st.sampled_from(
        ("<i4", "|u1", ">i8", "<f4", "|O", "<U9", "|V8", "<M8[s]", "<c16", "|b1", "<i3", "", "[('a','<i4')]")
    )
    sizes = st.sampled_from((0, 1, 2, 6, 16, -1, 2**31, 2**63, 10**30))
    shapes = st.lists(sizes, max_size=3).map(
        lambda sizes: f"({','.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"
    )
    order = st.sampled_from(("False", "True", "0", "[]"))
    header = st.builds("{{'descr': {!r}, 'fortran_order': {}, 'shape': {}, }}\n".format, types, order, shapes)
    versions = st.sampled_from((b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x00"))
    odd = st.sampled_from(
        ("{'descr': __import__('os').system('id')}", "(" * 4000, "{}", "9" * 9000, "\x00", "{'descr'")
    )
    return st.builds(npy, header | odd, st.binary(max_size=64) | st.just(b"\x00" * 384), versions)
