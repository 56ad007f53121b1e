"""Lines between the processes say what they were made of."""

from hypothesis import given
from hypothesis import strategies as st

from hrmlab.web.protocol import Ask, Failed, Forget, Found, Late, Ready, Shown, Turn, line, message

numbers, floats = st.integers(0, 2**53), st.floats(allow_nan=False)
tokens = st.lists(st.integers(0, 2**31 - 1), max_size=5)
said = st.one_of(
    st.builds(Shown, numbers, numbers, tokens, floats, st.booleans()),
    st.builds(Found, numbers, tokens, numbers, floats, st.sampled_from(["halted", "limit"]), st.none() | st.booleans()),
    st.builds(Late, numbers),
)
messages = st.one_of(
    st.builds(Ready, st.dictionaries(st.text(), floats), st.dictionaries(st.text(), st.text())),
    st.builds(Failed, st.text()),
    st.builds(Ask, numbers, tokens, st.none() | floats, st.booleans()),
    st.builds(Forget, numbers),
    st.builds(Turn, floats, numbers, numbers, st.lists(said, max_size=3)),
)


@given(messages)
def test_what_is_sent_is_what_is_heard(sent: object) -> None:
    data = line(sent)
    assert data.endswith(b"\n") and data.count(b"\n") == 1
    assert message(data) == sent
