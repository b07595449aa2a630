package tally

import (
	"bytes"
	"encoding/gob"
	"reflect"
	"testing"
	"time"
)

func TestTheTimesOfASecondTravelWithEveryCount(t *testing.T) {
	sent := NewRecent()
	sent.Overdue, sent.Oldest = 7, 3*time.Second
	for i := range 1000 {
		RecordRecent(sent.RTT, time.Duration(i*i)*time.Microsecond)
		RecordRecent(sent.Late, time.Duration(i%3)*time.Millisecond)
	}
	RecordRecent(sent.Deliver, 0)           // the first count of all
	RecordRecent(sent.Deliver, 2*time.Hour) // the last
	var wire bytes.Buffer
	if err := gob.NewEncoder(&wire).Encode(sent); err != nil {
		t.Fatal(err)
	}
	size := wire.Len()
	var got Recent
	if err := gob.NewDecoder(&wire).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Overdue != sent.Overdue || got.Oldest != sent.Oldest {
		t.Errorf("%d PINGs wait, the oldest for %v; want %d, %v", got.Overdue, got.Oldest, sent.Overdue, sent.Oldest)
	}
	theirs := sent.all()
	for i, h := range got.all() {
		if !reflect.DeepEqual((*h).Export(), (*theirs[i]).Export()) {
			t.Errorf("histogram %d: %v, want %v", i, (*h).Distribution(), (*theirs[i]).Distribution())
		}
	}
	if size > 4<<10 {
		t.Errorf("it takes %d bytes; the counts that are 0 should take none", size)
	}
}

func TestTimesThatMakeNoSenseAreRefused(t *testing.T) {
	full := NewRecent()
	RecordRecent(full.RTT, time.Second)
	whole, err := full.GobEncode()
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if new(Recent).GobDecode(whole[:n]) == nil {
			t.Errorf("the first %d of %d bytes are taken for all", n, len(whole))
		}
	}
	for name, b := range map[string][]byte{"more than all": append(whole, 0), "a count beyond the last": {0, 0, 0xff, 0xff, 0xff, 0x7f, 1, 0, 0, 0, 0, 0, 0}} {
		if new(Recent).GobDecode(b) == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
