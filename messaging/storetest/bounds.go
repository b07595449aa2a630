package storetest

import (
	"fmt"
	"strings"

	"github.com/stormwheel/stormwheel/messaging"
)

func boundsOfAUser(t *rig) {
	t.begin(messaging.Bounds{UserRecords: 3, UserBytes: int(size(100, 50, 0))})
	full := messaging.ErrQueueFull
	k := t.put(rec("alice", "1"), late("alice", "2", at(1)), rec("alice", "3"))
	t.refused(rec("alice", "4"), full)
	t.refused(late("alice", "4", at(1)), full)
	t.put(rec("bob", "not hers"))
	batch := []messaging.Record{rec("carol", "1"), rec("alice", "4"), rec("carol", "2")}
	if err := t.s.Put(t.Context(), batch); err != nil || batch[0].Key == 0 || batch[1].Refused != full || batch[1].Key != 0 || batch[2].Key == 0 {
		t.Errorf("Put: %v, %+v", err, batch)
	}
	t.drop("alice", k[1])
	t.put(rec("alice", "4"))
	t.wantSays("queue", t.queue("alice", 10), "1", "3", "4")

	long := strings.Repeat("x", 150)
	t.put(rec("dan", long))
	t.refused(rec("dan", "x"+long[:100]), full)
	t.put(rec("dan", ""), rec("dan", ""))
	t.wantWaiting(messaging.Waiting{User: "dan", Records: 3, Bytes: size(150, 0, 0), Oldest: at(0)})
	t.refused(rec("erin", strings.Repeat("x", int(size(100, 50, 0)))), full)
	t.wantWaiting(messaging.Waiting{User: "erin"})
}

func boundsOfAll(t *rig) {
	t.begin(messaging.Bounds{Records: 4, Bytes: size(1000, 10, 10, 10)})
	full := messaging.ErrStoreFull
	k := t.put(rec("a", "1"), late("b", "2", at(1)), rec("c", "3"), rec("d", "4"))
	t.refused(rec("e", "5"), full)
	t.refused(rec("a", "5"), full)
	t.drop("b", k[1])
	t.put(rec("e", "5"))
	t.refused(rec("f", "6"), full)
	t.drop("a", k[0])
	t.drop("c", k[2])
	t.refused(rec("a", strings.Repeat("x", 2000)), full)
	t.put(rec("a", strings.Repeat("x", 1000)))
	if got := fmt.Sprint(len(t.users(10))); got != "3" {
		t.Errorf("%s users", got)
	}
}
