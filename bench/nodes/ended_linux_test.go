package nodes

import (
	"net/http"
	"net/http/httptest"
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

// Of a target whose admin listener alone is known, and which answers no more, nothing is known from then on: the line of
// its connections ends where it died. What it said last stays for the end.
func TestWhoAnswersNoMoreHasNoFiguresMeanwhile(t *testing.T) {
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"conns":7,"sessions":5}`)) }))
	defer admin.Close()
	s, err := Watch(t.Context(), []string{"127.0.0.1:1"}, nil, []string{admin.Listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	s.Sample(t.Context())
	if now := s.Observed()[0]; now.Conns == nil || *now.Conns != 7 || *now.Sessions != 5 {
		t.Errorf("it answers, and %+v is known of it", now)
	}
	admin.Close()
	s.Sample(t.Context())
	if now, last := s.Observed()[0], s.All()[0]; now.Conns != nil || now.Sessions != nil || last.Conns == nil || *last.Conns != 7 {
		t.Errorf("it does not answer: observed %+v, all %+v", now, last)
	}
}
