package codec

import (
	"testing"
	"time"
)

// What a server may tell leaves MinMargin to a client that does what docs/PROTOCOL.md says:
// it holds its interval within the limits and within four fifths of the timeout.
func TestMinTimeoutLeavesTheMargin(t *testing.T) {
	left := func(interval, timeout time.Duration) time.Duration {
		return timeout - max(min(interval, timeout/5*4), MinInterval)
	}
	for interval := time.Millisecond; interval < 2*time.Second; interval += time.Millisecond {
		least := MinTimeout(interval)
		if got := left(interval, least); got < MinMargin {
			t.Fatalf("MinTimeout(%v) = %v, which leaves %v", interval, least, got)
		}
		if got := left(interval, least-5); got >= MinMargin {
			t.Fatalf("MinTimeout(%v) = %v is more than needed", interval, least)
		}
	}
}
