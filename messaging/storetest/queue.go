package storetest

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/stormwheel/stormwheel/messaging"
)

func nextInOrder(t *rig) {
	t.begin(messaging.Bounds{})
	var want []string
	last := messaging.Key(0)
	for i := range 50 {
		batch := []messaging.Record{rec("alice", fmt.Sprint("a", i)), rec("bob", "b"), rec("alice", fmt.Sprint("c", i))}
		want = append(want, string(batch[0].Body), string(batch[2].Body))
		for _, k := range t.put(batch...) {
			if k <= last {
				t.Fatalf("key %d after %d", k, last)
			}
			last = k
		}
	}
	for _, page := range []int{1, 7, 1000} {
		t.wantSays(fmt.Sprint("queue in pages of ", page), t.queue("alice", page), want...)
	}
	first := t.queue("alice", 1000)[0]
	if !first.Put.Equal(at(0)) || !first.Expires.Equal(at(3600)) || first.Was != 0 || first.Refused != nil {
		t.Errorf("Next: %+v", first)
	}
	t.wantSays("nobody", t.queue("carol", 10))
}

func nextByBytes(t *rig) {
	t.begin(messaging.Bounds{})
	big := strings.Repeat("x", 40<<10)
	t.put(rec("alice", big), rec("alice", big), rec("alice", strings.Repeat("y", 200<<10)), rec("alice", "z"))
	if all := t.queue("alice", 100); len(all) != 4 || len(all[2].Body) != 200<<10 {
		t.Errorf("%d records", len(all))
	}
	page, err := t.s.Next(t.Context(), "alice", 0, 100)
	if err != nil || len(page) != 1 {
		t.Errorf("Next: %d records of 40 KiB in a page, %v", len(page), err)
	}
}

func namesDoNotMix(t *rig) {
	t.begin(messaging.Bounds{})
	names := []string{"a", "a!", "aa", "ab", "a/b", "ä", "b", strings.Repeat("a", 128), strings.Repeat("a", 127)}
	for _, n := range names {
		t.put(rec(n, "for "+n), late(n, "late for "+n, at(1)))
	}
	for _, n := range names {
		t.wantSays(n, t.queue(n, 10), "for "+n)
		t.wantWaiting(messaging.Waiting{User: n, Records: 1, Delayed: 1, Bytes: size(4+len(n), 9+len(n)), Oldest: at(0)})
	}
	k := t.queue("a", 1)[0].Key
	t.drop("aa", k) // not hers
	t.wantSays("a", t.queue("a", 10), "for a")
}

func bodiesAreTheCallers(t *rig) {
	t.begin(messaging.Bounds{})
	t.put(rec("alice", "hello"), rec("alice", ""), late("alice", "later", at(1)))
	for _, r := range append(t.queue("alice", 10), t.due(at(1), 10)...) {
		copy(r.Body, bytes.Repeat([]byte("#"), len(r.Body)))
	}
	t.wantSays("queue", t.queue("alice", 10), "hello", "")
	t.wantSays("due", t.due(at(1), 10), "later")
}

func dropForgets(t *rig) {
	t.begin(messaging.Bounds{})
	k := t.put(rec("alice", "0"), rec("alice", "1"), rec("alice", "2"), late("alice", "3", at(1)), rec("alice", "4"))
	t.drop("alice", k[1], k[1], 1<<60, 0)
	t.wantSays("one dropped", t.queue("alice", 10), "0", "2", "4")
	t.drop("alice", k[3])
	t.wantSays("the delayed one dropped", t.due(at(9), 10))
	t.drop("alice", k[0], k[4])
	t.wantSays("ends dropped", t.queue("alice", 10), "2")
	t.drop("bob", k[2])
	t.drop("alice")
	t.wantSays("nothing dropped", t.queue("alice", 10), "2")
	t.drop("alice", k[2])
	t.wantSays("all dropped", t.queue("alice", 10))
	if again := t.put(rec("alice", "5")); again[0] <= k[4] {
		t.Errorf("key %d after %d", again[0], k[4])
	}
}

func waitingCounts(t *rig) {
	t.begin(messaging.Bounds{})
	first, second := rec("alice", "12345"), rec("alice", "123")
	second.Put = at(7)
	k := t.put(first, second, late("alice", "1", at(60)))
	t.wantWaiting(messaging.Waiting{User: "alice", Records: 2, Delayed: 1, Bytes: size(5, 3, 1), Oldest: at(0)})
	t.drop("alice", k[0])
	t.wantWaiting(messaging.Waiting{User: "alice", Records: 1, Delayed: 1, Bytes: size(3, 1), Oldest: at(7)})
	t.drop("alice", k[1])
	t.wantWaiting(messaging.Waiting{User: "alice", Delayed: 1, Bytes: size(1)})
	t.drop("alice", k[2])
	t.wantWaiting(messaging.Waiting{User: "alice"})
	t.wantWaiting(messaging.Waiting{User: "bob"})
}

func usersInPages(t *rig) {
	t.begin(messaging.Bounds{})
	if all := t.users(10); len(all) != 0 {
		t.Errorf("Users of an empty store: %v", all)
	}
	var want []string
	for i := range 30 {
		name := fmt.Sprintf("user%02d", i)
		want = append(want, name)
	}
	for i := range want { // not in the order of names
		name := want[i*7%len(want)]
		t.put(rec(name, "hello"), late(name, "hi", at(1)))
	}
	gone := t.put(rec("user05x", "x"))
	t.drop("user05x", gone...)
	only := t.put(late("zoe", "x", at(5)))
	want = append(want, "zoe")
	for _, page := range []int{1, 4, 31, 100} {
		var got []string
		for _, w := range t.users(page) {
			got = append(got, w.User)
			if !same(w, t.s.Waiting(w.User)) {
				t.Errorf("Users: %s; Waiting: %s", words(w), words(t.s.Waiting(w.User)))
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("Users in pages of %d: %v, want %v", page, got, want)
		}
	}
	t.drop("zoe", only...)
	t.put(rec("yan", "x"))
	if all := t.users(100); all[len(all)-1].User != "yan" {
		t.Errorf("Users: the last is %s", words(all[len(all)-1]))
	}
}
