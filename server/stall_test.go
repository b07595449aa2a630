package server

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Stalls that are no stop of the process: a machine whose CPUs are busy with others, and
// a handler that sleeps on its loop. The SIGSTOP ones are in process_test.go.

const (
	stallHeartbeat = 200 * time.Millisecond
	stallTimeout   = time.Second
	stallTick      = 20 * time.Millisecond
)

// sleepAsTold is the handler of a node in a process of its own: a message is a duration.
func sleepAsTold(_ *Session, _ uint64, body []byte) {
	if d, err := time.ParseDuration(string(body)); err == nil {
		time.Sleep(d)
	}
}

// burn is the main of a hog. It ends by itself if nobody kills it.
func burn() int {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
	}
	return 0
}

// crew is a number of clients that ping whatever the node does, and know how long they
// were silent themselves.
type crew struct {
	wires   []*wire
	done    chan struct{}
	wg      sync.WaitGroup
	late    atomic.Int64 // clients that were silent for the timeout by their own fault
	evicted atomic.Int64
}

func hire(t *testing.T, c *child, clients int) *crew {
	t.Helper()
	k := &crew{done: make(chan struct{})}
	for i := range clients {
		w, f := c.join(fmt.Sprint("c", i))
		if f.Type != codec.Welcome {
			t.Fatalf("client %d is answered by %v", i, f.Type)
		}
		k.wires = append(k.wires, w)
		k.wg.Go(func() {
			beat := time.NewTicker(stallHeartbeat)
			defer beat.Stop()
			late := false
			for last := time.Now(); ; {
				select {
				case <-k.done:
					return
				case <-beat.C:
				}
				if _, err := w.Write(codec.AppendPing(nil, 1, 0)); err != nil {
					return
				}
				if time.Since(last) >= stallTimeout && !late {
					late = true
					k.late.Add(1)
				}
				last = time.Now()
			}
		})
		k.wg.Go(func() {
			for {
				f, err := w.next()
				if err != nil {
					return
				}
				if f.Type == codec.GoAway {
					k.evicted.Add(1)
				}
			}
		})
	}
	return k
}

// judge waits until every eviction that is due has come, and wants none of a client that
// spoke in time.
func (k *crew) judge(t *testing.T, c *child, what string) childStats {
	t.Helper()
	settled := time.Now().Add(stallTimeout + 500*time.Millisecond)
	eventually(t, "a timeout has passed", func() bool { return time.Now().After(settled) })
	st := c.stats()
	t.Logf("%s: %d evicted, %d clients late themselves, %d evictions averted, %.2f s held", what, st.Evictions, k.late.Load(), st.Averted, st.Held)
	if int64(st.Evictions) > k.late.Load() || k.evicted.Load() > k.late.Load() {
		t.Errorf("%s: %d evicted, but only %d were silent; closes %v", what, st.Evictions, k.late.Load(), st.Closes)
	}
	return st
}

func (k *crew) dismiss() {
	close(k.done)
	for _, w := range k.wires {
		w.Close()
	}
	k.wg.Wait()
}

// A node at the lowest priority among hogs runs now and then; nobody pays for it.
func TestStarvedNodeEvictsNobodyWhoSpoke(t *testing.T) {
	if _, err := exec.LookPath("nice"); err != nil {
		t.Skip("no nice command here")
	}
	c := startChild(t, orders{Heartbeat: stallHeartbeat, Timeout: stallTimeout, Tick: stallTick}, in("nice", "-n", "19"))
	c.leavesNothing()
	k := hire(t, c, 60)
	defer k.dismiss()
	hogs, most := 0, 12*runtime.NumCPU()
	for want := 3 * runtime.NumCPU(); hogs < most; want *= 2 {
		for ; hogs < want; hogs++ {
			text, _ := json.Marshal(orders{Hog: true})
			hog := exec.Command(os.Args[0])
			hog.Env = append(os.Environ(), childOrders+"="+string(text))
			if err := hog.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				hog.Process.Kill()
				hog.Wait()
			}()
		}
		over := time.Now().Add(4 * time.Second)
		eventually(t, "four seconds among hogs", func() bool { return time.Now().After(over) })
		if st := k.judge(t, c, fmt.Sprintf("beside %d hogs", hogs)); st.Held > 0 || st.Averted > 0 || st.Stretch > 1 {
			return
		}
	}
	t.Skipf("%d hogs did not starve the node: no stall was held, no eviction averted and no terms made longer, so nothing was put to the test", hogs)
}

// The last sleep is one stall, which the held clock covers. The others are each too
// short to be held: then the bytes that wait in the kernel speak for their clients, or these are
// told longer terms in time.
func TestHandlerThatSleepsOnTheLoopEvictsNobody(t *testing.T) {
	t.Parallel() // it waits most of the time
	c := startChild(t, orders{Loops: 1, Heartbeat: stallHeartbeat, Timeout: stallTimeout, Tick: stallTick})
	c.leavesNothing()
	k := hire(t, c, 60)
	defer k.dismiss()
	for _, w := range k.wires[:30] {
		w.send(codec.AppendSend(nil, 2, []byte("90ms")))
	}
	time.Sleep(2700 * time.Millisecond)
	if st := k.judge(t, c, "thirty sleeps of 90 ms"); st.Averted == 0 && st.Stretch == 1 {
		t.Error("no eviction was averted by unread bytes, and no terms became longer")
	}
	held := c.stats().Held
	k.wires[0].send(codec.AppendSend(nil, 1, []byte("2500ms")))
	time.Sleep(2500 * time.Millisecond) // the length of the sleep is the test
	if st := k.judge(t, c, "one sleep of 2.5 timeouts"); st.Held-held < 1 {
		t.Errorf("%.2f s were held, want about 2.4", st.Held-held)
	}
}
