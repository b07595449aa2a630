package natsbus

import (
	"bytes"
	"testing"
)

// What waits for one node is one NATS message, in order, up to its size; memory of those that have left is used again.
func TestWhatWaitsLeavesTogether(t *testing.T) {
	o := newOut(1 << 20)
	for _, body := range []string{"one", "two"} {
		if err := o.put("sw.to.a", []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.put("sw.all", []byte("three")); err != nil {
		t.Fatal(err)
	}
	all := o.take(nil)
	if len(all) != 2 || !bytes.Equal(all[0].body, []byte("\x03one\x03two")) || all[1].subject != "sw.all" {
		t.Errorf("got %q", all)
	}
	large := make([]byte, batchBytes)
	for range 2 {
		if err := o.put("sw.to.a", large); err != nil {
			t.Fatal(err)
		}
	}
	if all = o.take(all); len(all) != 2 || len(all[0].body) < batchBytes {
		t.Errorf("%d NATS messages for two large bodies", len(all))
	}
}
