package messaging_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
)

// BenchmarkBoltPut: messages of 200 B to random users of 100,000, each in a Put of its own, from so many
// callers at once. Every second one is dropped again, as a hub does when its addressee comes.
func BenchmarkBoltPut(b *testing.B) {
	for _, callers := range []int{1, 32, 256, 1024} {
		for _, drops := range []bool{false, true} {
			b.Run(fmt.Sprintf("callers=%d/drops=%v", callers, drops), func(b *testing.B) { benchPut(b, callers, drops) })
		}
	}
}

func benchPut(b *testing.B, callers int, drops bool) {
	s := openBolt(b, filepath.Join(b.TempDir(), "store"), messaging.Bounds{UserRecords: -1, Records: -1, Bytes: -1})
	defer s.Close()
	body := strings.Repeat("x", 200)
	var next atomic.Int64
	var mu sync.Mutex
	var took []time.Duration
	var wg sync.WaitGroup
	b.ResetTimer()
	for range callers {
		wg.Go(func() {
			var own []time.Duration
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				r := []messaging.Record{record(fmt.Sprint("user", n*7919%100_000), body)}
				began := time.Now()
				if err := s.Put(context.Background(), r); err != nil || r[0].Refused != nil {
					b.Errorf("%v, %v", err, r[0].Refused)
					return
				}
				own = append(own, time.Since(began))
				if drops && n%2 == 0 {
					if err := s.Drop(context.Background(), r[0].User, []messaging.Key{r[0].Key}); err != nil {
						b.Error(err)
					}
				}
			}
			mu.Lock()
			took = append(took, own...)
			mu.Unlock()
		})
	}
	wg.Wait()
	b.StopTimer()
	report(b, took)
}

// BenchmarkBoltPaced: 12,000 a second come evenly, in the batches of a hub that gathers for 1 ms, whatever
// the store does. What counts is how long each waits.
func BenchmarkBoltPaced(b *testing.B) {
	const rate = 12_000
	s := openBolt(b, filepath.Join(b.TempDir(), "store"), messaging.Bounds{UserRecords: -1, Records: -1, Bytes: -1})
	defer s.Close()
	body := strings.Repeat("x", 200)
	var mu sync.Mutex
	var took []time.Duration
	var wg sync.WaitGroup
	b.ResetTimer()
	began := time.Now()
	for n := 0; n < b.N; {
		due := min(int(time.Since(began).Seconds()*rate), b.N)
		if due <= n {
			time.Sleep(time.Millisecond)
			continue
		}
		var batch []messaging.Record
		for ; n < due; n++ {
			batch = append(batch, record(fmt.Sprint("user", n*7919%100_000), body))
		}
		first := began.Add(time.Duration(float64(n-len(batch)) / rate * float64(time.Second)))
		wg.Go(func() {
			if err := s.Put(context.Background(), batch); err != nil {
				b.Error(err)
			}
			d := time.Since(first)
			mu.Lock()
			for range batch {
				took = append(took, d)
			}
			mu.Unlock()
		})
	}
	wg.Wait()
	b.StopTimer()
	report(b, took)
}

func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	if len(took) > 0 {
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	}
}
