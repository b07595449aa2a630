package server

import (
	"encoding/json"
	"time"
)

// Counters are what one loop counts; only the loop writes them. All but Conns, Sessions,
// Draining, Queued, Partial and Debt only grow.
type Counters struct {
	Conns    int64 // open connections, lingering ones included
	Sessions int64 // welcomed clients
	Draining int64 // of Sessions, those that a drain has told to go

	Moved    uint64 // told by a drain, and said BYE
	Accepted uint64 // connections taken from the kernel
	Refused  uint64 // of those, sent away at once for want of room
	Knocks   uint64 // well-formed HELLOs of clients that were still there, whatever became of them
	Gone     uint64 // clients that had given up before they were served
	Hellos   uint64 // HELLOs that were welcomed
	Tickets  uint64 // clients let in by the ticket of their slot
	Resumed  uint64 // HELLOs that showed an earlier session
	FramesIn uint64
	BytesIn  uint64 // of complete frames
	BytesOut uint64 // handed to the kernel or queued for it
	Pings    uint64
	Pongs    uint64 // fewer than Pings where several were answered at once
	Sends    uint64
	Delivers uint64
	AcksIn   uint64
	AcksOut  uint64
	GoAways  uint64
	Dropped  uint64 // optional messages to slow clients
	Queued   int64  // bytes that wait in user space, as of the last look at each client
	Partial  int64  // bytes that unfinished frames take
	Stale    uint64 // posts for sessions that were gone

	Averted     uint64        // evictions put off because unread bytes were waiting
	LingerCut   uint64        // farewells that did not wait until their peer had closed
	Panics      uint64        // in handlers and in the authenticator
	Held        time.Duration // time of stalls, charged to nobody
	Debt        time.Duration // how far deadlines are behind
	LongestTurn time.Duration // in real time, with what the system took of it
	Closes      [numReasons]uint64
	SnapshotAt  time.Duration // real time of this copy, since the server's start
}

// Stats is a node's state, summed over its loops. The numbers of a loop are as of its
// last turn, normally at most a tick ago; Age says how old the oldest are, which also
// tells whether a loop is stuck.
type Stats struct {
	Node     string
	Loops    int // loops that have had a connection
	MaxConns int // the bound in force
	Window   time.Duration

	Pending, MaxPending     int64  // connections that are not in yet, and their bound
	Lingering               int64  // farewells that wait for their peers
	MaxQueuedTotal          int64  // the bound on Queued and Partial together, 0: none
	MemoryUsed, MemoryLimit int64  // bytes, as of the last second; 0: nobody watches
	MemoryState             string // fine, refuse, shed

	Pace           float64       // clients a second that can be let in now, Config.AdmitRate at most
	HelloWait      time.Duration // as of the last tick, the longest that a HELLO lay in the kernel
	LoopLate       time.Duration // as of the last tick, how late the slowest loop was
	Stretch        int           // what interval and timeout are multiplied by, since answers are late
	AdmissionQueue time.Duration // how far ahead slots have been given out
	AuthWaiting    int           // clients that wait for the authenticator, those it has apart
	PostsRefused   uint64        // Server.Deliver and Ack that returned ErrBusy

	Age time.Duration
	Counters
}

// Evictions is the number of clients that were dropped for silence.
func (s Stats) Evictions() uint64 { return s.Closes[ReasonHeartbeatTimeout] }

func (s *Stats) add(c *Counters) {
	s.Conns += c.Conns
	s.Sessions += c.Sessions
	s.Draining += c.Draining
	s.Moved += c.Moved
	s.Accepted += c.Accepted
	s.Refused += c.Refused
	s.Knocks += c.Knocks
	s.Gone += c.Gone
	s.Hellos += c.Hellos
	s.Tickets += c.Tickets
	s.Resumed += c.Resumed
	s.FramesIn += c.FramesIn
	s.BytesIn += c.BytesIn
	s.BytesOut += c.BytesOut
	s.Pings += c.Pings
	s.Pongs += c.Pongs
	s.Sends += c.Sends
	s.Delivers += c.Delivers
	s.AcksIn += c.AcksIn
	s.AcksOut += c.AcksOut
	s.GoAways += c.GoAways
	s.Dropped += c.Dropped
	s.Queued += c.Queued
	s.Partial += c.Partial
	s.Stale += c.Stale
	s.Averted += c.Averted
	s.LingerCut += c.LingerCut
	s.Panics += c.Panics
	s.Held = max(s.Held, c.Held)
	s.Debt = max(s.Debt, c.Debt)
	s.LongestTurn = max(s.LongestTurn, c.LongestTurn)
	for why, n := range c.Closes {
		s.Closes[why] += n
	}
}

// MarshalJSON writes flat snake_case fields; durations in seconds, closes by reason.
func (s Stats) MarshalJSON() ([]byte, error) {
	closes := make(map[string]uint64)
	for why, n := range s.Closes {
		if n > 0 {
			closes[Reason(why).String()] = n
		}
	}
	return json.Marshal(struct {
		Node             string            `json:"node"`
		Loops            int               `json:"loops"`
		MaxConns         int               `json:"max_conns"`
		Conns            int64             `json:"conns"`
		Sessions         int64             `json:"sessions"`
		Draining         int64             `json:"draining"`
		Moved            uint64            `json:"moved"`
		Accepted         uint64            `json:"accepted"`
		Refused          uint64            `json:"refused"`
		Knocks           uint64            `json:"knocks"`
		Gone             uint64            `json:"gone_unserved"`
		Pace             float64           `json:"pace"`
		HelloWait        float64           `json:"hello_wait_seconds"`
		LoopLate         float64           `json:"loop_late_seconds"`
		Stretch          int               `json:"terms_stretch"`
		Hellos           uint64            `json:"hellos"`
		Tickets          uint64            `json:"tickets"`
		Resumed          uint64            `json:"resumed"`
		FramesIn         uint64            `json:"frames_in"`
		BytesIn          uint64            `json:"bytes_in"`
		BytesOut         uint64            `json:"bytes_out"`
		Pings            uint64            `json:"pings"`
		Pongs            uint64            `json:"pongs"`
		Sends            uint64            `json:"sends"`
		Delivers         uint64            `json:"delivers"`
		AcksIn           uint64            `json:"acks_in"`
		AcksOut          uint64            `json:"acks_out"`
		GoAways          uint64            `json:"goaways"`
		Stale            uint64            `json:"stale_posts"`
		Evictions        uint64            `json:"evictions"`
		EvictionsAverted uint64            `json:"evictions_averted"`
		LingerCut        uint64            `json:"linger_cut"`
		Panics           uint64            `json:"panics"`
		ClockHeld        float64           `json:"clock_held_seconds"`
		Debt             float64           `json:"wheel_debt_seconds"`
		LongestTurn      float64           `json:"longest_turn_seconds"`
		Window           float64           `json:"window_seconds"`
		Age              float64           `json:"snapshot_age_seconds"`
		Pending          int64             `json:"pending"`
		MaxPending       int64             `json:"max_pending"`
		Lingering        int64             `json:"lingering"`
		AdmissionQueue   float64           `json:"admission_queue_seconds"`
		AuthWaiting      int               `json:"auth_waiting"`
		PostsRefused     uint64            `json:"refused_posts"`
		Queued           int64             `json:"queued_bytes"`
		Partial          int64             `json:"partial_bytes"`
		MaxQueuedTotal   int64             `json:"max_queued_bytes"`
		Dropped          uint64            `json:"dropped_optional"`
		MemoryUsed       int64             `json:"memory_used_bytes"`
		MemoryLimit      int64             `json:"memory_limit_bytes"`
		MemoryState      string            `json:"memory_state"`
		Closes           map[string]uint64 `json:"closes"`
	}{
		s.Node, s.Loops, s.MaxConns, s.Conns, s.Sessions, s.Draining, s.Moved, s.Accepted, s.Refused,
		s.Knocks, s.Gone, s.Pace, s.HelloWait.Seconds(), s.LoopLate.Seconds(), s.Stretch, s.Hellos, s.Tickets, s.Resumed, s.FramesIn,
		s.BytesIn, s.BytesOut, s.Pings, s.Pongs, s.Sends, s.Delivers, s.AcksIn, s.AcksOut, s.GoAways,
		s.Stale, s.Evictions(), s.Averted, s.LingerCut, s.Panics, s.Held.Seconds(), s.Debt.Seconds(), s.LongestTurn.Seconds(),
		s.Window.Seconds(), s.Age.Seconds(), s.Pending, s.MaxPending, s.Lingering,
		s.AdmissionQueue.Seconds(), s.AuthWaiting, s.PostsRefused, s.Queued, s.Partial, s.MaxQueuedTotal, s.Dropped,
		s.MemoryUsed, s.MemoryLimit, s.MemoryState, closes,
	})
}
