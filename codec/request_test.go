package codec

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

func TestRequestsAndRepliesSurvive(t *testing.T) {
	for _, typ := range []Type{Send, Deliver} {
		f, _, err := Decode(AppendRequest(nil, typ, 5, []byte("how late is it?")), MaxPayload)
		if err != nil || f.Type != typ || f.Flags != FlagWantsReply {
			t.Fatalf("request: %v, %v", f, err)
		}
		if number, body, err := ParseRequest(f.Payload); number != 5 || string(body) != "how late is it?" || err != nil {
			t.Errorf("request of %v: %d, %q, %v", typ, number, body, err)
		}
		f, _, err = Decode(AppendReply(nil, typ, 5, []byte("noon")), MaxPayload)
		if err != nil || f.Type != typ || f.Flags != FlagReply {
			t.Fatalf("reply: %v, %v", f, err)
		}
		if to, body, err := ParseReply(f.Payload); to != 5 || string(body) != "noon" || err != nil {
			t.Errorf("reply of %v: %d, %q, %v", typ, to, body, err)
		}
		if _, _, err := Decode(AppendReply(nil, typ, 5, make([]byte, MaxReply)), MaxPayload); err != nil {
			t.Errorf("the largest reply: %v", err)
		}
		if _, _, err := Decode(AppendReply(nil, typ, 5, make([]byte, MaxReply+1)), MaxPayload); !errors.Is(err, ErrLength) {
			t.Errorf("a reply that is larger: %v", err)
		}
	}
}

// Every type with every flags: SEND and DELIVER want a reply or are one, never both, and nothing
// else is.
func TestFlagsOfEveryType(t *testing.T) {
	for typ := range 256 {
		for flags := range 256 {
			message := Type(typ) == Send || Type(typ) == Deliver
			good := flags <= 1 || message && (flags == 2 || flags == 3 || flags == 4 || flags == 5)
			frame := AppendFrame(nil, Type(typ), Flags(flags), nil)
			for _, b := range [][]byte{frame, frame[:4]} {
				_, _, err := Decode(b, MaxPayload)
				if errors.Is(err, ErrFlags) == good {
					t.Errorf("type %d with flags %#x: %v", typ, flags, err)
				}
			}
		}
	}
}

// An ACK and the longest NACK are within what answers may have, and that is not a byte too many.
func TestLongestAnswer(t *testing.T) {
	nack, err := AppendNack(nil, &NackMessage{Reason: bytes.Repeat([]byte{'x'}, MaxReason)})
	if err != nil || len(nack) != MaxAnswer {
		t.Errorf("the longest NACK has %d bytes, MaxAnswer is %d, %v", len(nack), MaxAnswer, err)
	}
	if n := len(AppendAck(nil, sampleAck)); n > MaxAnswer {
		t.Errorf("an ACK has %d bytes", n)
	}
	if want := fmt.Sprintf("beyond the %d of the longest NACK", MaxAnswer); !bytes.Contains([]byte(protocolPage(t)), []byte(want)) {
		t.Errorf("PROTOCOL.md does not say %q", want)
	}
}
