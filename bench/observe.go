package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// observer reads what one server costs and holds. Of a target that was not spawned it knows
// what --pid and --admin tell, which may be nothing.
type observer struct {
	node  *node  // that we spawned; nil for others
	pid   int    // 0: unknown
	admin string // HOST:PORT of GET /stats; "": unknown
	port  uint16 // where it listens, if only pid is known
	// evicted is what it had evicted before the run, and cpu the processor time that it had taken.
	evicted int
	cpu     time.Duration
}

// serverStats is what we read of GET /stats. Other servers may say less.
type serverStats struct {
	Node      string `json:"node"`
	Conns     *int   `json:"conns"`
	Sessions  *int   `json:"sessions"`
	Evictions *int   `json:"evictions"`
}

// listServers begins the list of targets, in their order. What --pid and --admin name is
// read once, so that a wrong one ends the run before it begins.
func (r *runner) listServers(ctx context.Context) error {
	for _, n := range r.nodes {
		r.servers = append(r.servers, Server{Addr: n.addr, Node: &n.name, PID: &n.PID})
		r.observers = append(r.observers, observer{node: n, pid: n.PID, admin: n.admin})
	}
	if len(r.nodes) > 0 {
		return nil
	}
	for i, e := range r.plan.endpoints {
		s, o := Server{Addr: e.String()}, observer{}
		if i < len(r.plan.PIDs) {
			o.pid = r.plan.PIDs[i]
			s.PID, o.port = &o.pid, e.Port()
			if _, err := proc.Process(o.pid); err != nil {
				return fmt.Errorf("--pid: cannot read process %d of %s: %w", o.pid, e, plainlyFile(err))
			}
		}
		if i < len(r.plan.Admins) {
			o.admin, o.port = r.plan.Admins[i], 0
			stats, err := readStats(ctx, o.admin)
			if err != nil {
				return fmt.Errorf("--admin: %w", err)
			}
			if stats.Node != "" {
				s.Node = &stats.Node
			}
			if stats.Evictions != nil {
				o.evicted = *stats.Evictions
			}
		}
		r.servers, r.observers = append(r.servers, s), append(r.observers, o)
	}
	return nil
}

// begin notes what the servers have cost when the measurement begins.
func (r *runner) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.observers {
		if o := &r.observers[i]; o.pid != 0 {
			if use, err := proc.Process(o.pid); err == nil {
				o.cpu = use.CPU()
			}
		}
	}
}

// plainlyFile leaves out the path of a file of /proc.
func plainlyFile(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is none")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("permission denied")
	default:
		return err
	}
}

// checkObserved: a process and an address belong to the target at the same place of its
// list.
func (c *Config) checkObserved() error {
	if c.Spawn > 0 && len(c.PIDs)+len(c.Admins) > 0 {
		return usagef("--pid and --admin are for --target; of spawned nodes they are known")
	}
	if len(c.PIDs) > len(c.Targets) || len(c.Admins) > len(c.Targets) {
		return usagef("--pid and --admin name one for each --target, in their order: there are %d targets", len(c.Targets))
	}
	for _, pid := range c.PIDs {
		if pid < 1 {
			return usagef("--pid: %d is no process", pid)
		}
	}
	for _, a := range c.Admins {
		if _, _, err := net.SplitHostPort(a); err != nil {
			return usagef("--admin: %q is not HOST:PORT", a)
		}
	}
	return nil
}

// observed are the servers of which something is known each second.
func (r *runner) observed() []Server {
	n := max(len(r.nodes), len(r.plan.PIDs), len(r.plan.Admins))
	return r.servers[:n]
}

// sampleServers reads what the servers cost and hold. A figure that cannot be read keeps
// its last value.
func (r *runner) sampleServers(ctx context.Context) {
	r.mu.Lock()
	observers := slices.Clone(r.observers)
	r.mu.Unlock()
	for i, o := range observers {
		r.mu.Lock()
		killed := r.servers[i].Killed
		r.mu.Unlock()
		if killed || o.node != nil && o.node.frozen.Load() {
			continue
		}
		var use proc.Use
		var stats serverStats
		useErr, statsErr, connsErr := errUnknown, errUnknown, errUnknown
		conns := 0
		if o.pid != 0 {
			use, useErr = proc.Process(o.pid)
		}
		if o.port != 0 {
			conns, connsErr = proc.Conns(o.pid, o.port)
		}
		if o.admin != "" && (o.node == nil || !o.node.slow.Load()) {
			stats, statsErr = readStats(ctx, o.admin)
		}
		r.mu.Lock()
		if s := &r.servers[i]; !s.Killed && r.observers[i].pid == o.pid { // it may have been started again
			if useErr == nil {
				s.RSSBytes, s.CPUS, s.FDs = &use.Resident, new((use.CPU() - o.cpu).Seconds()), &use.Descriptors
			}
			if connsErr == nil {
				s.Conns = &conns
			}
			if statsErr == nil {
				s.Conns, s.Sessions = stats.Conns, stats.Sessions
				if stats.Evictions != nil {
					s.Evictions = new(*stats.Evictions - o.evicted)
				}
			}
		}
		r.mu.Unlock()
	}
}

var errUnknown = errors.New("unknown")

// statsPatience bounds one reading of /stats.
const statsPatience = 2 * time.Second

// readStats asks a node's admin listener how many connections it holds.
func readStats(ctx context.Context, admin string) (stats serverStats, err error) {
	ctx, cancel := context.WithTimeout(ctx, statsPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+strings.ReplaceAll(admin, "%", "%25")+"/stats", nil)
	if err != nil {
		return stats, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return stats, fmt.Errorf("no server at %s: %w", admin, plainly(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return stats, fmt.Errorf("http://%s/stats answers %s", admin, resp.Status)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&stats); err != nil {
		return stats, fmt.Errorf("http://%s/stats: %w", admin, err)
	}
	if stats.Conns == nil {
		return stats, fmt.Errorf("http://%s/stats has no conns", admin)
	}
	return stats, nil
}
