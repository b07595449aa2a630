package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
)

// Open opens a store that keeps what it keeps within dir, which is the test's own and empty at first.
// Opened again there after a Close, a durable one has what it had. It fails t where it cannot.
type Open func(t *testing.T, dir string, b messaging.Bounds) messaging.Store

// Run runs every test of the contract, each on stores of its own, as sub-tests of t.
func Run(t *testing.T, open Open) {
	for _, test := range []struct {
		name string
		run  func(t *rig)
	}{
		{"NextReturnsWhatWasPutInOrder", nextInOrder},
		{"NextIsBoundedByBytes", nextByBytes},
		{"NamesDoNotMix", namesDoNotMix},
		{"BodiesAreTheCallers", bodiesAreTheCallers},
		{"DropForgets", dropForgets},
		{"WaitingCounts", waitingCounts},
		{"UsersInPages", usersInPages},
		{"BoundsOfAUser", boundsOfAUser},
		{"BoundsOfAll", boundsOfAll},
		{"DelayedIsNotInTheQueue", delayedIsApart},
		{"DueInOrderAndPages", dueInPages},
		{"WasTakesThePlace", wasTakesThePlace},
		{"BadRecordsAreRefusedWhole", badRecords},
		{"ContextThatHasEnded", contextEnded},
		{"ClosedStore", closedStore},
		{"ManyAtOnce", manyAtOnce},
		{"RandomCallsAgainstATwin", againstTwin},
		{"OpenedAgain", openedAgain},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(&rig{T: t, open: open, dir: t.TempDir()}) })
	}
}

// rig is one test's.
type rig struct {
	*testing.T
	open Open
	dir  string
	s    messaging.Store
}

// begin opens the store with bounds and closes it at the test's end.
func (t *rig) begin(b messaging.Bounds) messaging.Store {
	t.Helper()
	t.s = t.open(t.T, t.dir, b)
	s := t.s
	t.Cleanup(func() { s.Close() })
	return s
}

// epoch is a time in whole ms.
var epoch = time.UnixMilli(1_800_000_000_000)

func at(seconds int) time.Time { return epoch.Add(time.Duration(seconds) * time.Second) }

// rec is a record of a user that says something.
func rec(user, body string) messaging.Record {
	return messaging.Record{User: user, Put: at(0), Expires: at(3600), Body: []byte(body)}
}

func late(user, body string, due time.Time) messaging.Record {
	r := rec(user, body)
	r.Due = due
	return r
}

// put stores records and fails the test unless each is kept.
func (t *rig) put(batch ...messaging.Record) []messaging.Key {
	t.Helper()
	if err := t.s.Put(context.Background(), batch); err != nil {
		t.Fatalf("Put: %v", err)
	}
	var keys []messaging.Key
	for i, r := range batch {
		if r.Key == 0 || r.Refused != nil {
			t.Fatalf("Put: record %d of %s has key %d, %v", i, r.User, r.Key, r.Refused)
		}
		keys = append(keys, r.Key)
	}
	return keys
}

// refused stores one record and fails the test unless it is refused so.
func (t *rig) refused(r messaging.Record, want error) {
	t.Helper()
	batch := []messaging.Record{r}
	if err := t.s.Put(context.Background(), batch); err != nil || batch[0].Refused != want || batch[0].Key != 0 {
		t.Errorf("Put: %v; Refused %v, key %d; want %v", err, batch[0].Refused, batch[0].Key, want)
	}
}

func (t *rig) drop(user string, keys ...messaging.Key) {
	t.Helper()
	if err := t.s.Drop(context.Background(), user, keys); err != nil {
		t.Fatalf("Drop: %v", err)
	}
}

// queue reads a user's whole queue, in pages.
func (t *rig) queue(user string, page int) (all []messaging.Record) {
	t.Helper()
	for after := messaging.Key(0); ; {
		records, err := t.s.Next(context.Background(), user, after, page)
		if err != nil || len(records) > page {
			t.Fatalf("Next: %d records of at most %d, %v", len(records), page, err)
		}
		if len(records) == 0 {
			return all
		}
		for _, r := range records {
			if r.User != user || r.Key <= after || !r.Due.IsZero() {
				t.Fatalf("Next of %s after %d: %+v", user, after, r)
			}
			after = r.Key
		}
		all = append(all, records...)
	}
}

// due reads all that is due, in pages.
func (t *rig) due(until time.Time, page int) (all []messaging.Record) {
	t.Helper()
	for after := (messaging.Moment{}); ; {
		records, err := t.s.Due(context.Background(), until, after, page)
		if err != nil || len(records) > page {
			t.Fatalf("Due: %d records of at most %d, %v", len(records), page, err)
		}
		if len(records) == 0 {
			return all
		}
		all = append(all, records...)
		last := records[len(records)-1]
		after = messaging.Moment{Due: last.Due, Key: last.Key}
	}
}

// users reads for whom something waits, in pages.
func (t *rig) users(page int) (all []messaging.Waiting) {
	t.Helper()
	for after := ""; ; {
		users, err := t.s.Users(context.Background(), after, page)
		if err != nil || len(users) > page {
			t.Fatalf("Users: %d of at most %d, %v", len(users), page, err)
		}
		if len(users) == 0 {
			return all
		}
		all = append(all, users...)
		after = users[len(users)-1].User
	}
}

func (t *rig) wantWaiting(want messaging.Waiting) {
	t.Helper()
	if got := t.s.Waiting(want.User); !same(got, want) {
		t.Errorf("Waiting: %s, want %s", words(got), words(want))
	}
}

func same(a, b messaging.Waiting) bool {
	return a.User == b.User && a.Records == b.Records && a.Delayed == b.Delayed && a.Bytes == b.Bytes && a.Oldest.Equal(b.Oldest)
}

func words(w messaging.Waiting) string {
	return fmt.Sprintf("%s has %d records, %d delayed, %d bytes, since %v", w.User, w.Records, w.Delayed, w.Bytes, w.Oldest.UTC())
}

// says are the bodies, in order.
func says(records []messaging.Record) string {
	var all []string
	for _, r := range records {
		all = append(all, string(r.Body))
	}
	return fmt.Sprint(all)
}

func (t *rig) wantSays(what string, records []messaging.Record, want ...string) {
	t.Helper()
	if got := says(records); got != fmt.Sprint(want) {
		t.Errorf("%s: %s, want %s", what, got, fmt.Sprint(want))
	}
}

// size is what bodies of so many bytes count together.
func size(bodies ...int) (n int64) {
	for _, b := range bodies {
		n += int64(b) + messaging.RecordCost
	}
	return n
}
