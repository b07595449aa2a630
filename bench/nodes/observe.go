package nodes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// observer reads what one server costs and holds. Of a target that was not spawned it knows
// what --pid and --admin tell, which may be nothing.
type observer struct {
	node  *Node  // that we spawned; nil for others
	pid   int    // 0: unknown
	admin string // HOST:PORT of GET /stats; "": unknown
	port  uint16 // where it listens, if only pid is known
	// before is what it had counted before the run, and cpu the processor time that it had taken.
	before serverStats
	cpu    time.Duration
	ended  bool // the process of a target that was named is no more
	silent bool // the admin listener of such a target did not answer when it was asked last
}

// serverStats is what we read of GET /stats. Other servers may say less.
type serverStats struct {
	Node      string `json:"node"`
	Conns     *int   `json:"conns"`
	Sessions  *int   `json:"sessions"`
	Evictions *int   `json:"evictions"`
	Full      *int   `json:"tls_full"`
	Resumed   *int   `json:"tls_resumed"`
	Sends     *int   `json:"sends"`
	Delivers  *int   `json:"delivers"`
}

// reading is what an observer could read; what it could not has its error.
type reading struct {
	use                        proc.Use
	stats                      serverStats
	conns                      int
	useErr, statsErr, connsErr error
}

// read asks the process, and the server itself.
func (o *observer) read(ctx context.Context) reading {
	r := reading{useErr: errUnknown, statsErr: errUnknown, connsErr: errUnknown}
	if o.pid != 0 {
		r.use, r.useErr = proc.Process(o.pid)
	}
	if o.port != 0 {
		r.conns, r.connsErr = proc.Conns(o.pid, o.port)
	}
	if o.admin != "" && (o.node == nil || !o.node.slow.Load()) {
		r.stats, r.statsErr = readStats(ctx, o.admin)
	}
	return r
}

// into fills in what is known.
func (r *reading) into(s *result.Server, o *observer) {
	if r.useErr == nil {
		s.RSSBytes, s.CPUS, s.FDs = &r.use.Resident, new((r.use.CPU() - o.cpu).Seconds()), &r.use.Descriptors
	}
	if r.connsErr == nil {
		s.Conns = &r.conns
	}
	if r.statsErr == nil {
		s.Conns, s.Sessions = r.stats.Conns, r.stats.Sessions
		s.TLSFull, s.TLSResumed = more(r.stats.Full, o.before.Full), more(r.stats.Resumed, o.before.Resumed)
		s.Evictions = more(r.stats.Evictions, o.before.Evictions)
		s.Sends, s.Delivers = more(r.stats.Sends, o.before.Sends), more(r.stats.Delivers, o.before.Delivers)
	}
}

// more is by how much a count has grown; nil if it is unknown.
func more(now, before *int) *int {
	if now == nil || before == nil {
		return now
	}
	return new(*now - *before)
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
		return stats, fmt.Errorf("no server at %s: %w", admin, Plainly(err))
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
