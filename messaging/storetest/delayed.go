package storetest

import (
	"fmt"
	"strings"

	"github.com/stormwheel/stormwheel/messaging"
)

func delayedIsApart(t *rig) {
	t.begin(messaging.Bounds{})
	t.put(late("alice", "later", at(10)), rec("alice", "now"))
	t.wantSays("queue", t.queue("alice", 10), "now")
	t.wantSays("due before", t.due(at(9), 10))
	due := t.due(at(10), 10)
	t.wantSays("due", due, "later")
	if len(due) == 1 && (due[0].User != "alice" || !due[0].Due.Equal(at(10)) || !due[0].Put.Equal(at(0)) || !due[0].Expires.Equal(at(3600))) {
		t.Errorf("Due: %+v", due[0])
	}
	t.wantSays("due again", t.due(at(11), 10), "later") // it stays
}

func dueInPages(t *rig) {
	t.begin(messaging.Bounds{})
	var want []string
	for i := range 40 {
		want = append(want, fmt.Sprintf("%02d", i))
	}
	for i := range want { // 13 is prime to 40: all, not in order; four have each Due
		n := i * 13 % 40
		t.put(late(fmt.Sprint("user", i%3), fmt.Sprintf("%02d", n), at(n/4)))
	}
	for _, page := range []int{1, 3, 100} {
		all := t.due(at(9), page)
		last := messaging.Moment{}
		for _, r := range all {
			if r.Due.Before(last.Due) || r.Due.Equal(last.Due) && r.Key <= last.Key {
				t.Errorf("Due: %v, %d after %v, %d", r.Due, r.Key, last.Due, last.Key)
			}
			last = messaging.Moment{Due: r.Due, Key: r.Key}
		}
		if len(all) != 40 {
			t.Errorf("Due in pages of %d: %d records, want 40", page, len(all))
		}
	}
	if half := t.due(at(4), 7); len(half) != 20 {
		t.Errorf("Due: %d records, want 20", len(half))
	}
	big := strings.Repeat("x", 60<<10)
	t.put(late("big", big, at(20)), late("big", big, at(20)), late("big", big, at(21)))
	if all := t.due(at(30), 1000); len(all) != 43 {
		t.Errorf("Due: %d records, want 43", len(all))
	}
}

func wasTakesThePlace(t *rig) {
	t.begin(messaging.Bounds{UserRecords: 3})
	k := t.put(late("alice", "later", at(1)), rec("alice", "now"), rec("alice", "and now"))
	due := rec("alice", "later, marked")
	due.Was = k[0]
	moved := t.put(due) // although the queue is full
	if moved[0] <= k[2] {
		t.Errorf("key %d after %d", moved[0], k[2])
	}
	t.wantSays("queue", t.queue("alice", 10), "now", "and now", "later, marked")
	t.wantSays("due", t.due(at(9), 10))
	t.wantWaiting(messaging.Waiting{User: "alice", Records: 3, Bytes: size(3, 7, 13), Oldest: at(0)})
	batch := []messaging.Record{due}
	if err := t.s.Put(t.Context(), batch); err != nil || batch[0].Key != 0 || batch[0].Refused != nil {
		t.Errorf("Put of what was moved before: %v, %+v", err, batch[0])
	}
	again := late("bob", "bob's", at(1))
	bobs := t.put(again)
	wrong := rec("alice", "not hers")
	wrong.Was = bobs[0]
	batch = []messaging.Record{wrong}
	if err := t.s.Put(t.Context(), batch); err != nil || batch[0].Key != 0 {
		t.Errorf("Put over another's record: %v, %+v", err, batch[0])
	}
	again.Due, again.Was = at(50), bobs[0]
	t.put(again)
	t.wantSays("due once", t.due(at(49), 10))
	t.wantSays("delayed anew", t.due(at(50), 10), "bob's")
	t.wantWaiting(messaging.Waiting{User: "bob", Delayed: 1, Bytes: size(5)})
}
