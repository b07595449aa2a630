package cluster

import (
	"fmt"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/internal/freeport"
)

// measureDeath has another node die, several times, and takes how long it is until this one is told.
func measureDeath(t kit.Task) (map[string]float64, error) {
	addrs, err := freeport.Loopback(2)
	if err != nil {
		return nil, err
	}
	up, down := make(chan string, 8), make(chan time.Time, 8)
	m, err := bare("a", addrs[0], addrs, cluster.Handler{Up: func(node string) { up <- node }, Down: func(string) { down <- time.Now() }})
	if err != nil {
		return nil, err
	}
	defer m.end()
	longest := 0.0
	for range effortOf(t.Effort).deaths {
		took, err := die(t, addrs, up, down)
		if err != nil {
			return nil, err
		}
		longest = max(longest, took.Seconds()*1000)
	}
	return map[string]float64{"noticed_ms": longest}, nil
}

// die has another node come and die.
func die(t kit.Task, addrs []string, up chan string, down chan time.Time) (time.Duration, error) {
	c, _, err := spawn(t, "b", addrs[1], addrs)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if _, ok := within(up); !ok {
		return 0, fmt.Errorf("the other node is not seen")
	}
	time.Sleep(2 * time.Second) // what follows from its coming is over
	signal := syscall.SIGKILL
	if t.Subject == frozen {
		signal = syscall.SIGSTOP
	}
	began := time.Now()
	if err := c.Signal(signal); err != nil {
		return 0, err
	}
	at, ok := within(down)
	if !ok {
		return 0, fmt.Errorf("nobody notices that it is gone")
	}
	return at.Sub(began), nil
}

func within[T any](c chan T) (v T, ok bool) {
	select {
	case v = <-c:
		return v, true
	case <-time.After(20 * time.Second):
		return v, false
	}
}
