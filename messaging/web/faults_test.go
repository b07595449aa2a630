package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/server"
)

const patience = time.Minute

// site is a handler behind a listener, with a node that listens.
type site struct {
	hub *messaging.Hub
	srv *server.Server
	web *httptest.Server
	h   *handler
}

func newSite(t *testing.T, cfg Config) *site {
	return newSiteWithin(t, cfg, 5*time.Second, 10*time.Second) // as package admin has it
}

// newSiteWithin has requests read and answered within these times, as far as the server knows.
func newSiteWithin(t *testing.T, cfg Config, read, write time.Duration) *site {
	t.Helper()
	hub, err := messaging.New(messaging.Config{Store: messaging.NewMemory(messaging.Bounds{UserRecords: 2000})})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Listen: "127.0.0.1:0", Handler: hub.Handler()})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(hub.Start(srv), srv.Start()); err != nil {
		t.Fatal(err)
	}
	s := &site{hub: hub, srv: srv, h: New(hub, srv, cfg).(*handler)}
	s.web = httptest.NewUnstartedServer(s.h)
	s.web.Config.ReadTimeout, s.web.Config.WriteTimeout = read, write
	s.web.Start()
	t.Cleanup(func() {
		s.web.Close()
		s.stop(t)
	})
	return s
}

func (s *site) stop(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := errors.Join(s.srv.Stop(ctx), s.hub.Close(ctx)); err != nil {
		t.Error(err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// A thousand at once: those for whom there is no place are told so, and all arrive once.
func TestAThousandPushesAtOnce(t *testing.T) {
	s := newSiteWithin(t, Config{MaxRequests: 16}, patience, patience)
	const pushes = 1000
	client := &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 200, MaxConnsPerHost: 200}}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	for i := range pushes {
		wg.Go(func() {
			for {
				r, _ := http.NewRequestWithContext(t.Context(), "POST", s.web.URL+bobs, strings.NewReader(`{"content":"x"}`))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Idempotency-Key", fmt.Sprint(i))
				resp, err := client.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				body, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				switch {
				case resp.StatusCode == 200:
					return
				case resp.StatusCode == 503 && resp.Header.Get("Retry-After") == "1":
					time.Sleep(10 * time.Millisecond)
				default:
					t.Errorf("status %d: %s", resp.StatusCode, body)
					return
				}
			}
		})
	}
	wg.Wait()
	if st, err := s.hub.User(t.Context(), "bob"); err != nil || st.Waiting.Records != pushes {
		t.Errorf("%d messages, %v; want %d", st.Waiting.Records, err, pushes)
	}
}

// One key from many connections at once is one message, and all are told the same.
func TestOneKeyAtOnceIsOneMessage(t *testing.T) {
	s := newSiteWithin(t, Config{}, patience, patience)
	var mu sync.Mutex
	answers := make(map[string]int)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
				r, _ := http.NewRequestWithContext(t.Context(), "POST", s.web.URL+bobs, strings.NewReader(`{"content":"x"}`))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Idempotency-Key", "one")
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				body, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode == http.StatusConflict { // the first is in work
					continue
				}
				mu.Lock()
				answers[fmt.Sprint(resp.StatusCode, " ", string(body))]++
				mu.Unlock()
				return
			}
		})
	}
	wg.Wait()
	if st, err := s.hub.User(t.Context(), "bob"); err != nil || st.Waiting.Records != 1 || len(answers) != 1 {
		t.Errorf("%d messages, %v; answers %v", st.Waiting.Records, err, answers)
	}
}

// It is for the places of requests: who is beyond gets no place and no wait.
func TestRequestsAreBounded(t *testing.T) {
	inRig(t, Config{MaxRequests: 1}, func(r *rig) {
		bob := r.node.Join("bob")
		waits := r.begin("POST", bobs, `{"content":"x"}`)
		r.ask("GET", "/v1/users", "").fails(codeBusy)
		bob.Ack(r.got(bob, "x").number)
		waits().is(200, "delivered")
		r.ask("GET", "/v1/users", "").is(200)
	})
}

// A client that goes away leaves its push to go on, and nothing behind.
func TestAClientThatGoesAway(t *testing.T) {
	inRig(t, Config{MaxRequests: 1}, func(r *rig) {
		bob := r.node.Join("bob")
		ctx, goes := context.WithCancel(r.t.Context())
		r.begin("POST", bobs, `{"content":"x"}`, key("k"), func(r *http.Request) { *r = *r.WithContext(ctx) })
		m := r.got(bob, "x")
		goes()
		synctest.Wait()
		r.ask("POST", bobs, `{"content":"x"}`, key("k")).fails(codeKeyInWork) // and its place is free
		bob.Ack(m.number)
		r.ask("POST", bobs, `{"content":"x"}`, key("k")).is(200, "delivered")
	})
}

func TestAConnectionThatIsClosedEndsTheWait(t *testing.T) {
	s := newSiteWithin(t, Config{MaxRequests: 1}, 2*patience, 2*patience) // it is not the time that ends it
	conn := s.dial(t)
	s.h.places <- struct{}{} // so that the test sees when the request has one
	_, _ = fmt.Fprintf(conn, "GET /v1/users HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if status := statusOf(t, conn); status != 503 {
		t.Errorf("status %d", status)
	}
	<-s.h.places
	_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", bobs)
	eventually(t, "the request has a place", func() bool { return len(s.h.places) == 1 })
	_ = conn.Close()
	eventually(t, "the place is free", func() bool { return len(s.h.places) == 0 })
}

func (s *site) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.web.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func statusOf(t *testing.T, conn net.Conn) int {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}

func TestABodyThatNeverEnds(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	for name, tc := range map[string]struct {
		more   string
		status int
	}{
		"slow": {"", http.StatusRequestTimeout}, "endless": {fmt.Sprintf("%x\r\n%s\r\n", 2*maxBody, strings.Repeat(" ", 2*maxBody)), http.StatusRequestEntityTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := s.dial(t)
			go func() {
				_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n%s", bobs, tc.more)
			}()
			if status := statusOf(t, conn); status != tc.status {
				t.Errorf("status %d, want %d", status, tc.status)
			}
		})
	}
}

// The wait for an outcome may be longer than the server lets a request take.
func TestAWaitOutlivesTheDeadlinesOfTheListener(t *testing.T) {
	t.Parallel()
	s := newSiteWithin(t, Config{}, 500*time.Millisecond, 600*time.Millisecond)
	conn := s.dial(t)
	body := `{"content":"x"}`
	s.h.keys.mu.Lock() // so that the push waits
	_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: k\r\nContent-Length: %d\r\n\r\n%s", bobs, len(body), body)
	time.AfterFunc(time.Second, s.h.keys.mu.Unlock)
	if status := statusOf(t, conn); status != 200 {
		t.Errorf("status %d", status)
	}
}

func TestAHubThatIsStopping(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		bob := r.node.Join("bob")
		waits := r.begin("POST", bobs, `{"content":"x"}`)
		r.got(bob, "x")
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = r.node.Server.Stop(r.t.Context())
			_ = r.hub.Close(r.t.Context())
		}()
		r.node.Advance(2 * time.Second)
		<-ended
		waits().is(200, "held") // its outcome is told nevertheless
		for _, path := range []string{bobs, "/v1/rooms/tea/messages", "/v1/broadcasts"} {
			r.ask("POST", path, `{"content":"x"}`).fails(codeClosing)
		}
		for _, path := range []string{"/v1/users", "/v1/users/bob", "/v1/rooms", "/v1/sessions"} {
			r.ask("GET", path, "").fails(codeClosing)
		}
		r.ask("POST", "/v1/users/bob/kick", `{}`).fails(codeClosing)
	})
}

// Before the hub has begun there is nobody to ask.
func TestAHubThatHasNotBegun(t *testing.T) {
	hub, err := messaging.New(messaging.Config{})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Listen: "127.0.0.1:0", Handler: hub.Handler()})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	New(hub, srv, Config{}).ServeHTTP(w, newRequest("POST", bobs, `{"content":"x"}`))
	answer{t, "push", w.Code, w.Header(), w.Body.String()}.fails(codeClosing)
}

func TestAPanicIsAnAnswer(t *testing.T) {
	inRig(t, Config{}, func(r *rig) {
		r.h.(*handler).hub = nil
		r.ask("POST", bobs, `{"content":"x"}`, key("k")).fails(codeInternal)
		r.ask("POST", bobs, `{"content":"x"}`, key("k")).fails(codeInternal) // its key is free
	})
}
