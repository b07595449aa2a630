package codec

import (
	"math"
	"testing"
	"time"
)

func TestExpiresRoundsUpAndNeverIsNever(t *testing.T) {
	for _, tc := range []struct{ in, want time.Duration }{
		{0, 0}, {-time.Second, 0}, {1, time.Millisecond}, {time.Millisecond, time.Millisecond},
		{time.Millisecond + 1, 2 * time.Millisecond}, {7 * 24 * time.Hour, 7 * 24 * time.Hour},
		{math.MaxInt64 - 1, NeverExpires}, {NeverExpires, NeverExpires},
	} {
		pong, err := ParsePong(payloadOf(t, Pong, AppendPong(nil, PongMessage{Expires: tc.in}), nil))
		if err != nil || pong.Expires != tc.want {
			t.Errorf("%v is read as %v, %v; want %v", tc.in, pong.Expires, err, tc.want)
		}
	}
	plain := payloadOf(t, Pong, AppendPong(nil, PongMessage{}), nil)
	if len(plain) != pongFixed {
		t.Errorf("a PONG that tells nothing has %d bytes, want %d", len(plain), pongFixed)
	}
	pong, err := ParsePong(append(plain, byte(tlvExpires), 0, 8, 0, 0, 0, 0, 0, 0, 0, 0))
	if err != nil || pong.Expires != 0 {
		t.Errorf("0 ms is read as %v, %v; want nothing told", pong.Expires, err)
	}
}

func TestAHeartbeatHasNoTail(t *testing.T) {
	if b, err := AppendRenewal(nil, 7, 1, nil); err != nil || string(b) != string(AppendPing(nil, 7, 1)) {
		t.Errorf("without a credential a renewal is %x, %v; want a PING", b, err)
	}
}
