from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.errors import LinkError
from telephony.link_codec import AudioMessage, AudioRecord, decode_audio, encode_audio

u16, u32, u64 = (st.integers(0, 2**n - 1) for n in (16, 32, 64))
records = st.builds(AudioRecord, call=u32, turn=u32, tick=u32, pcm=st.binary(max_size=640), flags=u16)
audio = st.builds(AudioMessage, seq=u32, ack=u32, sent_ns=u64, records=st.lists(records, max_size=8).map(tuple))


@given(audio)
def test_audio_survives_the_wire(message: AudioMessage) -> None:
    assert decode_audio(encode_audio(message)) == message


@given(audio.filter(lambda m: m.records), st.data())
def test_a_cut_message_is_refused(message: AudioMessage, data: st.DataObject) -> None:
    whole = encode_audio(message)
    with pytest.raises(LinkError):
        decode_audio(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_another_version_is_named() -> None:
    with pytest.raises(LinkError, match="version 9, kind 1; this end speaks 2, 1"):
        decode_audio(b"\x09\x01" + bytes(18))
