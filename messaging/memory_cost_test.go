package messaging_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stormwheel/stormwheel/messaging"
)

// A message that waits in memory takes its body and RecordCost, so that Bounds.Bytes is a bound of memory.
func TestQueuedMessageTakesItsBodyAndRecordCost(t *testing.T) {
	if raceEnabled {
		t.Skip("it measures memory")
	}
	const users, each, warm = 100, 1000, 20_000
	store := messaging.NewMemory(messaging.Bounds{})
	inRig(t, messaging.Config{Store: store}, func(r *rig) {
		push := func(i int, prefix string) {
			err := r.hub.Push(fmt.Sprintf("%s%d", prefix, i%users), messaging.Message{From: "somebody", Content: make([]byte, 200)}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if i%1000 == 999 {
				r.node.Settle()
			}
		}
		for i := range warm { // the hub knows as many messages by their ids as it ever does
			push(i, "warm")
		}
		r.node.Advance(10e9)
		before, bytesBefore := heap(), total(store)
		for i := range users * each {
			push(i, "user")
		}
		r.node.Advance(10e9)
		used, counted := heap()-before, total(store)-bytesBefore
		t.Logf("%d bytes a message, of which %d are its body; %d are counted", used/(users*each), counted/(users*each)-messaging.RecordCost, counted/(users*each))
		if used > counted {
			t.Errorf("%d messages take %d bytes, %d are counted", users*each, used, counted)
		}
	})
}

func total(store *messaging.Memory) int64 {
	_, bytes := store.Total()
	return bytes
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
