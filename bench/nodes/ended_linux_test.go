package nodes

import (
	"os/exec"
	"testing"
	"time"
)

// Whether its parent has taken notice or not: it is told once, and its last reading stays.
func TestTheEndOfATargetsProcessIsFound(t *testing.T) {
	for _, reaped := range []bool{false, true} {
		process := exec.Command("sleep", "60")
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		s, err := Watch(t.Context(), []string{"127.0.0.1:1"}, []int{process.Process.Pid}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Sample(t.Context())
		if ended := s.Ended(); len(ended) != 0 || s.Observed()[0].Killed || s.All()[0].RSSBytes == nil {
			t.Errorf("ended %+v, observed %+v; it lives", ended, s.Observed())
		}
		if err := process.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if reaped {
			_ = process.Wait()
		}
		var ended []string
		for until := time.Now().Add(10 * time.Second); len(ended) == 0 && time.Now().Before(until); { // the kernel takes a moment
			s.Sample(t.Context())
			for _, one := range s.Ended() {
				ended = append(ended, one.Addr)
			}
		}
		s.Sample(t.Context())
		if more := s.Ended(); len(ended) != 1 || len(more) != 0 {
			t.Errorf("ended %q, then %+v; want it once", ended, more)
		}
		if last := s.All()[0]; !s.Observed()[0].Killed || last.Killed || last.FDs == nil {
			t.Errorf("observed %+v, all %+v; want nothing of it any more, and its last reading", s.Observed()[0], last)
		}
		_ = process.Wait()
	}
}
