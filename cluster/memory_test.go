package cluster_test

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/cluster/bustest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	bustest.Run(t, func(t *testing.T, nodes int) (all []cluster.Bus) {
		var m cluster.Memory
		for i := range nodes {
			b := m.Bus(bustest.Name(i))
			t.Cleanup(func() { _ = b.Close() })
			all = append(all, b)
		}
		return all
	})
}

func TestMemoryDelaysAndDropsAndKeepsOrder(t *testing.T) {
	var m cluster.Memory
	a, b := m.Bus("a"), m.Bus("b")
	defer a.Close()
	defer b.Close()
	got := make(chan string, 10)
	if err := b.Subscribe("x", func(body []byte) { got <- string(body) }); err != nil {
		t.Fatal(err)
	}
	publish := func(body string) {
		t.Helper()
		if err := a.Publish("x", []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	m.Delay("a", "", 100*time.Millisecond)
	began := time.Now()
	publish("late")
	m.Delay("a", "", 0)
	publish("behind it")
	m.Drop(func(from, to, subject string, body []byte) bool { return string(body) == "lost" })
	publish("lost")
	m.Drop(nil)
	m.Cut("a", "b")
	publish("cut")
	m.Heal()
	publish("last")
	for _, want := range []string{"late", "behind it", "last"} {
		if have := receive(t, got); have != want {
			t.Errorf("got %q, want %q", have, want)
		}
	}
	if time.Since(began) < 100*time.Millisecond {
		t.Error("nothing was delayed")
	}
}
