package timingwheel_test

import (
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/timingwheel"
)

// Three connections with a timeout of 10 s: one speaks, one is silent, one
// leaves. The times would come from time.Since.
func Example() {
	wheel, err := timingwheel.New(timingwheel.Config{Tick: time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer wheel.Close()

	names := []string{"speaks", "silent", "leaves"} // by ID: they are dense
	for range names {
		wheel.Add(10 * time.Second)
	}
	for now := time.Second; now <= 25*time.Second; now += time.Second {
		wheel.Observe(now)
		if now == 4*time.Second || now == 12*time.Second {
			wheel.Touch(0)
		}
		if now == 5*time.Second {
			wheel.Remove(2)
		}
		wheel.Advance(now, timingwheel.Budget{Expiries: 256}, func(id timingwheel.ID) time.Duration {
			fmt.Printf("%v: %s expires\n", now, names[id])
			return timingwheel.Done
		})
	}
	fmt.Println(wheel.Len(), "left")
	// Output:
	// 11s: silent expires
	// 23s: speaks expires
	// 0 left
}

// A callback may postpone: here for unread bytes, once.
func ExampleWheel_Advance() {
	wheel, err := timingwheel.New(timingwheel.Config{Tick: 100 * time.Millisecond})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer wheel.Close()
	wheel.Add(time.Second)
	postponed := false
	for now := time.Duration(0); wheel.Len() > 0; now += 100 * time.Millisecond {
		wheel.Advance(now, timingwheel.Budget{}, func(timingwheel.ID) time.Duration {
			if !postponed {
				postponed = true
				fmt.Println(now, "look again in 300ms")
				return now + 300*time.Millisecond
			}
			fmt.Println(now, "done")
			return timingwheel.Done
		})
	}
	// Output:
	// 1.1s look again in 300ms
	// 1.4s done
}
