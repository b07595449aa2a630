package storetest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/stormwheel/stormwheel/messaging"
)

// twin is a store that is too simple to be wrong.
type twin struct {
	bounds  messaging.Bounds
	records []messaging.Record
}

func (w *twin) of(user string) (list []messaging.Record, bytes int64) {
	for _, r := range w.records {
		if r.User == user {
			list = append(list, r)
			bytes += size(len(r.Body))
		}
	}
	return list, bytes
}

// expects tells what a Put of one record must say: kept, or why not.
func (w *twin) expects(r messaging.Record) (kept bool, refused error) {
	if r.Was != 0 {
		return w.remove(r.User, r.Was, true), nil
	}
	list, bytes := w.of(r.User)
	all := int64(0)
	for _, r := range w.records {
		all += size(len(r.Body))
	}
	switch n := size(len(r.Body)); {
	case len(list) >= w.bounds.UserRecords || bytes+n > int64(w.bounds.UserBytes):
		return false, messaging.ErrQueueFull
	case len(w.records) >= w.bounds.Records || all+n > w.bounds.Bytes:
		return false, messaging.ErrStoreFull
	}
	return true, nil
}

func (w *twin) remove(user string, k messaging.Key, delayed bool) bool {
	n := len(w.records)
	w.records = slices.DeleteFunc(w.records, func(r messaging.Record) bool {
		return r.User == user && r.Key == k && (!delayed || !r.Due.IsZero())
	})
	return len(w.records) < n
}

func (w *twin) waiting(user string) messaging.Waiting {
	list, bytes := w.of(user)
	out := messaging.Waiting{User: user, Bytes: bytes}
	for _, r := range list { // in the order of keys
		switch {
		case !r.Due.IsZero():
			out.Delayed++
		case out.Records == 0:
			out.Oldest = r.Put
			fallthrough
		default:
			out.Records++
		}
	}
	return out
}

// againstTwin makes random calls of the store and of its twin, and compares.
func againstTwin(t *rig) {
	bounds := messaging.Bounds{UserRecords: 12, UserBytes: int(size(200, 200, 200, 200, 200, 200)), Records: 40, Bytes: size(4000) + 30*messaging.RecordCost}
	t.begin(bounds)
	w := &twin{bounds: bounds}
	seed := rand.Uint64()
	chance := rand.New(rand.NewPCG(seed, 1))
	steps := 400
	for step := range steps {
		if t.Failed() {
			t.Fatalf("seed %d, step %d", seed, step)
		}
		user := fmt.Sprint("user", chance.IntN(6))
		switch list, _ := w.of(user); {
		case chance.IntN(10) < 6:
			w.put(t, chance, step)
		case len(list) > 0:
			keys := []messaging.Key{messaging.Key(chance.IntN(50)), list[0].Key, list[chance.IntN(len(list))].Key}
			t.drop(user, keys...)
			for _, k := range keys {
				w.remove(user, k, false)
			}
		}
		t.wantWaiting(w.waiting(user))
		if step%20 == 0 {
			w.compare(t, chance)
		}
		if step == steps/2 && t.s.Durable() {
			if err := t.s.Close(); err != nil {
				t.Fatal(err)
			}
			t.begin(bounds)
		}
	}
	w.compare(t, chance)
}

// put stores a batch.
func (w *twin) put(t *rig, chance *rand.Rand, step int) {
	t.Helper()
	var batch []messaging.Record
	for i := range 1 + chance.IntN(4) {
		r := rec(fmt.Sprint("user", chance.IntN(6)), fmt.Sprint(step, ".", i, fmt.Sprintf("%*d", chance.IntN(300), 0)))
		r.Put = at(step)
		if chance.IntN(4) == 0 {
			r.Due = at(step + chance.IntN(20))
		}
		if list, _ := w.of(r.User); chance.IntN(5) == 0 && len(list) > 0 {
			r.Was = list[chance.IntN(len(list))].Key // of one in the queue: it is not there
		}
		batch = append(batch, r)
	}
	if err := t.s.Put(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	for _, r := range batch {
		kept, refused := w.expects(r)
		if kept != (r.Key != 0) || refused != r.Refused {
			t.Errorf("Put of %s: key %d, %v; want kept %v, %v", r.Body, r.Key, r.Refused, kept, refused)
		}
		if kept {
			w.records = append(w.records, r)
		}
	}
}

// compare reads everything.
func (w *twin) compare(t *rig, chance *rand.Rand) {
	t.Helper()
	var due []messaging.Record
	for i := range 6 {
		user := fmt.Sprint("user", i)
		list, _ := w.of(user)
		var queue []messaging.Record
		for _, r := range list {
			if r.Due.IsZero() {
				queue = append(queue, r)
			} else if !r.Due.After(at(300)) {
				due = append(due, r)
			}
		}
		t.wantWaiting(w.waiting(user))
		if got, want := says(t.queue(user, 1+chance.IntN(5))), says(queue); got != want {
			t.Errorf("queue of %s: %s, want %s", user, got, want)
		}
	}
	slices.SortFunc(due, func(a, b messaging.Record) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Key, b.Key)) })
	if got, want := says(t.due(at(300), 1+chance.IntN(5))), says(due); got != want {
		t.Errorf("due: %s, want %s", got, want)
	}
}
