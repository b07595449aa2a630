package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/internal/loopback"
	"github.com/stormwheel/stormwheel/server"
)

// Leaving for good: the node hands its clients over, and then what its store holds, and ends.

type clusterLeaveCmd struct {
	Admin   string        `default:"127.0.0.1:7001" placeholder:"HOST:PORT" help:"The --admin address of the node, on this machine. Default ${default}."`
	Timeout time.Duration `default:"5m" placeholder:"D" help:"How long the others may take to store what it hands over, once its clients have gone. Default ${default}."`
}

func (clusterLeaveCmd) Help() string {
	return "The node hands its clients over as at SIGTERM, then what waits in its store, delayed messages too, to other live\n" +
		"nodes, each confirmed after they have stored it, and ends. Exits 0 only if it holds nothing any more; else what it still holds stays in\n" +
		"its store, and the node ends with an error.\n\nExample: stormwheel cluster leave --admin 127.0.0.1:7001"
}

func (c *clusterLeaveCmd) Validate() error {
	if c.Timeout <= 0 {
		return fmt.Errorf("--timeout must be positive, not %v", c.Timeout)
	}
	return dialable("--admin", []string{c.Admin})
}

func (c *clusterLeaveCmd) Run() error {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPut, "http://"+c.Admin+leavePath+"?timeout="+url.QueryEscape(c.Timeout.String()), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("--admin %s: %w", c.Admin, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case err != nil:
		return fmt.Errorf("--admin %s: %w", c.Admin, err)
	case resp.StatusCode == http.StatusNotFound:
		return fmt.Errorf("--admin %s: that node is of no cluster, or this is not its machine", c.Admin)
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s", strings.TrimSpace(string(body)))
	}
	_, err = fmt.Fprintln(os.Stdout, "The node has left, and holds nothing.")
	return err
}

const leavePath = "/cluster/leave"

// departure is what was asked of a node that is to leave. Nil: it is of no cluster.
type departure struct {
	asked chan time.Duration // how long others may take
	done  chan struct{}      // closed with err set
	err   error
	once  sync.Once
}

func newDeparture() *departure {
	return &departure{asked: make(chan time.Duration, 1), done: make(chan struct{})}
}

// end tells who asked how it went.
func (l *departure) end(err error) {
	l.once.Do(func() { l.err = err; close(l.done) })
}

// ServeHTTP answers when the node has left. A page of a browser on this machine cannot ask: PUT wants its consent.
func (l *departure) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	most, err := time.ParseDuration(r.URL.Query().Get("timeout"))
	switch {
	case !loopback.Host(r.Host):
		http.Error(w, "not addressed to this machine", http.StatusForbidden)
		return
	case r.Method != http.MethodPut:
		w.Header().Set("Allow", "PUT")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	case err != nil || most <= 0:
		http.Error(w, "timeout is a time, as in 5m", http.StatusBadRequest)
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	select {
	case l.asked <- most:
	default: // it was asked already: both are told
	}
	select {
	case <-l.done:
	case <-r.Context().Done():
		return
	}
	if l.err != nil {
		http.Error(w, l.err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]int{"messages": 0}) // the reader may be gone
}

// leaveAsked is told when the node is to leave.
func (cl *clustered) leaveAsked() <-chan time.Duration {
	if cl == nil {
		return nil
	}
	return cl.leave.asked
}

// leaveForGood hands over the clients, and then what the store holds.
func (cl *clustered) leaveForGood(srv *server.Server, m *messages, most time.Duration, log *slog.Logger, signals <-chan os.Signal) (err error) {
	defer func() { cl.leave.end(err) }()
	log.Info("leaving for good: handing over the clients, and then what waits; a second signal stops at once")
	if cl.drain(signals) {
		return errors.Join(errors.New("cluster leave: stopped by a signal"), end(srv.Stop, stopTime, log, signals))
	}
	if err := end(srv.Drain, 0, log, signals); err != nil {
		return err
	}
	if m == nil {
		return nil
	}
	if err := end(m.hub.Leave, most, log, signals); err != nil {
		return fmt.Errorf("cluster leave: %d messages are still here: %w", m.hub.Stats().Queued, err)
	}
	log.Info("nothing waits here any more")
	return nil
}
