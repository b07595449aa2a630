package nodes

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// Servers are what a run aims at: nodes that it has spawned, or targets that it was told. They
// are sampled once a second while a scenario plays; what both use is guarded. Nodes is
// the scenario's own.
type Servers struct {
	Nodes []*Node // that were spawned, in their order; none: targets
	// Folder is what Stop removes, with what the nodes have on disk; "": there is none.
	Folder string

	mu        sync.Mutex
	list      []result.Server // one each, as of the latest sample
	observers []observer
	gone      []int          // the targets whose processes were found to have ended, until Ended tells
	named     int            // of how many something is known each second
	accepting *time.Duration // from t0 until a receiver could accept, where there was none
}

// Watch begins the list of targets, in their order. What pids and admins name is read
// once, so that a wrong one ends the run before it begins; either may be shorter.
func Watch(ctx context.Context, targets []string, pids []int, admins []string) (*Servers, error) {
	all := &Servers{named: max(len(pids), len(admins))}
	for i, e := range targets {
		s, o := result.Server{Addr: e}, observer{}
		if i < len(pids) {
			o.pid = pids[i]
			s.PID = &o.pid
			if addr, err := netip.ParseAddrPort(e); err == nil {
				o.port = addr.Port()
			}
			if _, err := proc.Process(o.pid); err != nil {
				return nil, fmt.Errorf("--pid: cannot read process %d of %s: %w", o.pid, e, plainlyFile(err))
			}
		}
		if i < len(admins) {
			o.admin, o.port = admins[i], 0
			stats, err := readStats(ctx, o.admin)
			if err != nil {
				return nil, fmt.Errorf("--admin: %w", err)
			}
			if stats.Node != "" {
				s.Node = &stats.Node
			}
			o.before = stats
		}
		all.list, all.observers = append(all.list, s), append(all.observers, o)
	}
	return all, nil
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

// Stop kills and reaps the nodes.
func (s *Servers) Stop() {
	stopNodes(s.Nodes)
	if s.Folder != "" {
		_ = os.RemoveAll(s.Folder) // nothing more can be done about it
	}
}

// Begin notes what the servers have cost when the measurement begins.
func (s *Servers) Begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.observers {
		if o := &s.observers[i]; o.pid != 0 {
			if use, err := proc.Process(o.pid); err == nil {
				o.cpu = use.CPU()
			}
		}
	}
}

// All are the servers as of the latest sample.
func (s *Servers) All() []result.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.list)
}

// Observed are those of which something is known each second. Of one that has ended nothing is, and of one that does not
// answer what its process alone tells.
func (s *Servers) Observed() []result.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.list[:s.named])
	for i := range all {
		all[i].Killed = all[i].Killed || s.observers[i].ended
		if s.observers[i].silent {
			all[i].Conns, all[i].Sessions = nil, nil
		}
	}
	return all
}

// Addrs are where they listen.
func (s *Servers) Addrs() (all []string) {
	for _, one := range s.All() {
		all = append(all, one.Addr)
	}
	return all
}

// Sample reads what the servers cost and hold. A figure that cannot be read keeps its last
// value.
func (s *Servers) Sample(ctx context.Context) {
	s.mu.Lock()
	observers := slices.Clone(s.observers)
	s.mu.Unlock()
	var reading sync.WaitGroup
	places := make(chan struct{}, readAtOnce)
	for i := range observers {
		places <- struct{}{}
		reading.Go(func() {
			s.sampleOne(ctx, i, &observers[i])
			<-places
		})
	}
	reading.Wait()
}

// readAtOnce is how many servers are read at the same time: where they are many, an answer may take
// as long as a node's threads oversleep.
const readAtOnce = 8

// sampleOne is Sample of the i-th, as it was observed.
func (s *Servers) sampleOne(ctx context.Context, i int, o *observer) {
	s.mu.Lock()
	killed := s.list[i].Killed
	s.mu.Unlock()
	if killed || o.ended || o.node != nil && o.node.frozen.Load() {
		return
	}
	now := o.read(ctx)
	if o.node == nil && o.pid != 0 && now.ended() {
		s.tellEnd(i)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := &s.list[i]; !one.Killed && s.observers[i].pid == o.pid { // it may have been started again
		now.into(one, o)
		s.observers[i].silent = o.node == nil && o.admin != "" && now.statsErr != nil
	}
}

// Ghosts is how many connections the spawned nodes hold beyond the clients' sessions, by
// their word as of the latest sample. It is unknown if one of those that live does not say.
func (s *Servers) Ghosts(sessions int) (n int, known bool) {
	for _, one := range s.All() {
		switch {
		case one.Killed:
		case one.Conns == nil:
			return 0, false
		default:
			n += *one.Conns
		}
	}
	return n - sessions, len(s.Nodes) > 0
}

// Kill is kill -9 of a node.
func (s *Servers) Kill(n *Node) error { return s.end(n, syscall.SIGKILL) }

// Terminate asks a node to end.
func (s *Servers) Terminate(n *Node) error { return s.end(n, syscall.SIGTERM) }

// end signals a node; from then on it is not sampled.
func (s *Servers) end(victim *Node, sig syscall.Signal) error {
	if err := victim.End(sig); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, n := range s.Nodes {
		if n == victim {
			s.list[i].Killed = true
		}
	}
	return nil
}

// Restart starts nodes that have ended: new processes of the same names and addresses. since is
// the time from t0; when the first of them can accept is kept.
func (s *Servers) Restart(ctx context.Context, since func() time.Duration, ended ...*Node) error {
	failed := make([]error, len(ended))
	var starting sync.WaitGroup
	for i, n := range ended {
		starting.Go(func() {
			n.Reap()
			var next *Node
			if next, failed[i] = n.again(ctx); failed[i] == nil {
				s.replace(n, next)
				s.Accept(since())
			}
		})
	}
	starting.Wait()
	for i, err := range failed {
		if err != nil {
			return fmt.Errorf("start node %s again: %w", ended[i].Name, err)
		}
	}
	return nil
}

// replace puts a new process in the place of one that has ended.
func (s *Servers) replace(old, next *Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, n := range s.Nodes {
		if n == old {
			s.Nodes[i] = next
			s.observers[i] = observer{node: next, pid: next.PID, admin: next.admin}
			s.list[i] = result.Server{Addr: next.Addr, Node: &next.Name, PID: &next.PID}
		}
	}
}

// Accept notes after how long a receiver can accept, where there was none; the first counts.
func (s *Servers) Accept(after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.accepting == nil {
		s.accepting = &after
	}
}

// AcceptedAfter is how long nobody could accept, from t0; nil: nobody can yet.
func (s *Servers) AcceptedAfter() *time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepting
}

// Admins are the admin addresses that are known, each as a function: a node that is started again has another.
func (s *Servers) Admins() (all []func() string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.observers {
		if s.observers[i].admin == "" {
			continue
		}
		all = append(all, func() string {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.observers[i].admin
		})
	}
	return all
}
