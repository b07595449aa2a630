package messaging

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/messaging/internal/between"
)

// view is what a hub knows of the lives of other nodes. Its count orders what happens to them and to the rooms
// that this node is the home of. Its lock may be taken with any other held.
type view struct {
	version atomic.Uint64 // another one after each change; not 0

	mu    sync.Mutex
	count uint64
	peers map[string]*peerLife
}

// peerLife is that of a live node.
type peerLife struct {
	began uint64        // the count when it came, or forgot this node
	at    time.Duration // then
	sees  uint64        // the count when it was heard that it sees this node; 0: not yet
}

// hailTime is how long a node that came may take to say that it sees this one, before rooms begin without that.
const hailTime = time.Second

func (v *view) init() {
	v.peers = make(map[string]*peerLife)
	v.version.Store(1)
}

// next returns the next count.
func (v *view) next() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.count++
	return v.count
}

// begins notes that a node came, or that it has forgotten this one.
func (v *view) begins(node string, now time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.count++
	p := v.peers[node]
	if p == nil {
		p = new(peerLife)
		v.peers[node] = p
	}
	p.began, p.at = v.count, now
	v.version.Add(1)
}

// ends notes that a node is gone.
func (v *view) ends(node string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.peers, node)
	v.version.Add(1)
}

// seenBy notes that a node sees this one: from now on it takes no room for its own that is this node's.
func (v *view) seenBy(node string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.count++
	p := v.peers[node]
	if p == nil { // it is a moment ahead
		p = new(peerLife)
		v.peers[node] = p
	}
	p.sees = v.count
}

// sees is the count when a node was heard to see this one, which is now if it was not.
func (v *view) sees(node string) uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.peers[node]
	if p != nil && p.sees != 0 {
		return p.sees
	}
	v.count++
	if p != nil {
		p.sees = v.count
	}
	return v.count
}

// life tells one life of a node from another, as far as this node is concerned; 0: it is not known to live.
func (v *view) life(node string) uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	if p := v.peers[node]; p != nil {
		return p.began
	}
	return 0
}

// settled tells whether all live nodes see this one, or had the time for that.
func (v *view) settled(now time.Duration) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range v.peers {
		if p.sees == 0 && now-p.at < hailTime {
			return false
		}
	}
	return true
}

func init() {
	hears[between.Hail] = func(h *Hub, node string, _ *between.Message) {
		h.view.seenBy(node)
		wake(h.roaming)
	}
}

// seesNode notes that a node came, or has forgotten this one.
func (h *Hub) seesNode(node string) {
	h.view.begins(node, h.since())
	wake(h.roaming)
}

// losesNode notes that a node is gone.
func (h *Hub) losesNode(node string) {
	h.view.ends(node)
	wake(h.roaming)
}

// roam does what rooms and presence owe to other nodes, until the hub is closed.
func (h *Hub) roam() {
	timer := time.NewTimer(tickTime)
	defer timer.Stop()
	var version uint64
	lastSecond := h.since()
	pulse := pulse{lastSecond}
	for {
		select {
		case <-timer.C:
		case <-h.roaming:
		case <-h.ctx.Done():
			h.says.giveUp()
			return
		}
		now := h.since()
		if v := h.view.version.Load(); v != version {
			version = v
			h.lookAtAll()
		}
		if slept := pulse.slept(now); slept > 0 {
			h.says.excuse(now, slept)
		}
		busy := h.fetchAgain(now)
		busy = h.sayAgain(now) || busy
		busy = h.waitAgain(now) || busy
		if now-lastSecond >= time.Second {
			lastSecond = now
			h.tellHeads()
		}
		if busy {
			timer.Reset(busyTime)
		} else {
			timer.Reset(tickTime)
		}
	}
}

// soon has homes that are not ready be asked again soon.
func (h *Hub) soon() { time.AfterFunc(busyTime, func() { wake(h.roaming) }) }

// busyTime is what a room's home that is not ready is left alone for.
const busyTime = 25 * time.Millisecond
