package server

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/internal/reactor"
)

// Counters and Stats are the table of what a node counts. A row is a field; its tag has
//
//   - stat: the name in JSON, the name as a metric without "stormwheel_", whether that is a
//     gauge or only grows, and "max" where a node's number is not the sum but the largest
//     of its loops'. A duration is told in seconds.
//   - help: what it means, for the metric and for docs/OPERATIONS.md.

// Counters are what one loop counts; only the loop writes them.
type Counters struct {
	Conns    int64 `stat:"conns connections gauge" help:"open connections, lingering ones included"`
	Sessions int64 `stat:"sessions sessions gauge" help:"welcomed clients"`
	Draining int64 `stat:"draining sessions_draining gauge" help:"of them, those that a drain has told to go"`

	Moved    uint64 `stat:"moved moved_sessions counter" help:"told to go by a drain or one by one, and said BYE"`
	Accepted uint64 `stat:"accepted accepted_connections counter" help:"connections taken from the kernel"`
	Refused  uint64 `stat:"refused refused_connections counter" help:"of them, sent away for want of room"`
	Knocks   uint64 `stat:"knocks knocks counter" help:"well-formed HELLOs of clients that were still there, whatever became of them"`
	Gone     uint64 `stat:"gone_unserved gone_unserved counter" help:"clients that had given up before they were served"`
	Hellos   uint64 `stat:"hellos hellos counter" help:"HELLOs that were welcomed"`
	Tickets  uint64 `stat:"tickets hellos_with_ticket counter" help:"clients let in by the ticket of their slot"`
	Resumed  uint64 `stat:"resumed hellos_resumed counter" help:"HELLOs that showed an earlier session"`

	Renewed    uint64 `stat:"renewed renewed_grants counter" help:"grants that a token in PING has renewed"`
	NotRenewed uint64 `stat:"not_renewed refused_renewals counter" help:"tokens in PING that were refused, or that nobody had time for; they cost their client nothing before its grant ends"`

	FramesIn uint64 `stat:"frames_in received_frames counter" help:"complete frames"`
	BytesIn  uint64 `stat:"bytes_in received_bytes counter" help:"bytes of complete frames"`
	BytesOut uint64 `stat:"bytes_out sent_bytes counter" help:"bytes handed to the kernel, or queued for it"`
	Pings    uint64 `stat:"pings received_pings counter" help:"PING"`
	Pongs    uint64 `stat:"pongs sent_pongs counter" help:"PONG; fewer than PINGs where several were answered at once"`
	Sends    uint64 `stat:"sends received_sends counter" help:"SEND, but replies"`
	Delivers uint64 `stat:"delivers sent_delivers counter" help:"DELIVER, but replies"`
	AcksIn   uint64 `stat:"acks_in received_acks counter" help:"ACK of clients"`
	AcksOut  uint64 `stat:"acks_out sent_acks counter" help:"ACK to clients; fewer than SENDs where several were acknowledged at once"`
	NacksIn  uint64 `stat:"nacks_in received_nacks counter" help:"NACK of clients: DELIVERs that they refused"`
	NacksOut uint64 `stat:"nacks_out sent_nacks counter" help:"NACK to clients: SENDs that the application refused, or failed at"`
	GoAways  uint64 `stat:"goaways sent_goaways counter" help:"GOAWAY"`
	Dropped  uint64 `stat:"dropped_optional dropped_optional_messages counter" help:"optional messages that slow clients did not get"`
	Queued   int64  `stat:"queued_bytes queued_bytes gauge" help:"bytes that wait for clients in user space, as of the last look at each"`
	Partial  int64  `stat:"partial_bytes partial_bytes gauge" help:"bytes that unfinished frames of clients take"`
	Kept     int64  `stat:"kept_bytes kept_bytes gauge" help:"bytes of SENDs that paused sessions have not handled"`
	Paused   int64  `stat:"paused sessions_paused gauge" help:"sessions whose application has paused reading"`
	Stale    uint64 `stat:"stale_posts stale_posts counter" help:"posts for sessions that were gone"`

	RepeatsAnswered uint64 `stat:"repeats_answered answered_repeats counter" help:"SENDs that came again and were settled: their client was told once more"`
	RepeatsDropped  uint64 `stat:"repeats_dropped dropped_repeats counter" help:"SENDs that came again while what was said about them is not said yet, below the window, or by a connection that their client has left"`
	RepliesIn       uint64 `stat:"replies_in received_replies counter" help:"SEND that reply to a DELIVER"`
	RepliesOut      uint64 `stat:"replies_out sent_replies counter" help:"DELIVER that reply to a SEND"`
	Memberships     int64  `stat:"memberships group_memberships gauge" help:"of sessions in groups"`
	Published       uint64 `stat:"published published_messages counter" help:"messages to groups that have members, counted once a loop"`

	Averted     uint64        `stat:"evictions_averted evictions_averted counter" help:"evictions put off because the kernel held unread bytes"`
	LingerCut   uint64        `stat:"linger_cut lingers_cut counter" help:"farewells that did not wait until their client had closed"`
	Panics      uint64        `stat:"panics handler_panics counter" help:"panics of the application's handlers and of its authenticator; each cost one client at most"`
	Held        time.Duration `stat:"clock_held_seconds clock_held_seconds counter max" help:"time that the node stood still, charged to no client"`
	Debt        time.Duration `stat:"wheel_debt_seconds wheel_debt_seconds gauge max" help:"how far deadlines are behind; more than a few ticks: not enough CPU"`
	LongestTurn time.Duration `stat:"longest_turn_seconds longest_turn_seconds gauge max" help:"longest turn of a loop since the start, with what the system took of it"`

	Closes     [reactor.NumReasons]uint64 // ended connections by reason
	SnapshotAt time.Duration              // real time of this copy, since the server's start
}

// Stats is a node's state, summed over its loops. The numbers of a loop are as of its
// last turn, normally at most a tick ago; Age says how old the oldest are, which also
// tells whether a loop is stuck.
type Stats struct {
	Node     string        `stat:"node"`
	Loops    int           `stat:"loops loops gauge" help:"event loops that have had a connection"`
	MaxConns int           `stat:"max_conns connections_max gauge" help:"the bound on connections in force"`
	Window   time.Duration `stat:"window_seconds reconnect_window_seconds gauge" help:"over which clients would spread their return now"`

	Pending        int64  `stat:"pending connections_pending gauge" help:"connections that are not in yet"`
	MaxPending     int64  `stat:"max_pending connections_pending_max gauge" help:"the bound on connections that are not in yet"`
	Lingering      int64  `stat:"lingering connections_lingering gauge" help:"farewells that wait for their client"`
	MaxQueuedTotal int64  `stat:"max_queued_bytes queued_max_bytes gauge" help:"the bound on queued_bytes, partial_bytes and kept_bytes together, 0: none"`
	MemoryUsed     int64  `stat:"memory_used_bytes memory_used_bytes gauge" help:"what the watcher counts, as of the last second"`
	MemoryLimit    int64  `stat:"memory_limit_bytes memory_limit_bytes gauge" help:"what it compares with, 0: it does not watch"`
	MemoryState    string `stat:"memory_state memory_state gauge" help:"0 fine, 1 newcomers are refused, 2 some are shed"`

	Pace           float64       `stat:"pace admission_pace gauge" help:"clients a second that can be let in now"`
	HelloWait      time.Duration `stat:"hello_wait_seconds hello_wait_seconds gauge" help:"longest that a HELLO lay in the kernel, as of the last tick"`
	LoopLate       time.Duration `stat:"loop_late_seconds loop_late_seconds gauge" help:"how late the slowest loop was, as of the last tick"`
	Stretch        int           `stat:"terms_stretch terms_stretch gauge" help:"what interval and timeout are multiplied by, since answers are late"`
	AdmissionQueue time.Duration `stat:"admission_queue_seconds admission_queue_seconds gauge" help:"how far ahead slots have been given out"`
	AuthWaiting    int           `stat:"auth_waiting authentications_waiting gauge" help:"clients that wait for the authenticator, those that it is busy with apart"`
	TLSFull        uint64        `stat:"tls_full tls_full_handshakes counter" help:"full TLS handshakes"`
	TLSResumed     uint64        `stat:"tls_resumed tls_resumed_handshakes counter" help:"TLS handshakes that resumed a session"`
	TLSFailed      uint64        `stat:"tls_failed tls_failed_handshakes counter" help:"TLS handshakes that failed"`
	TLSGivenUp     uint64        `stat:"tls_given_up tls_given_up_handshakes counter" help:"TLS handshakes that waited for their clients for longest when too many did"`
	TLSWaiting     int           `stat:"tls_waiting tls_handshakes_waiting gauge" help:"TLS handshakes that wait for their clients"`
	TLSQueued      int           `stat:"tls_queued tls_handshakes_queued gauge" help:"TLS handshakes that wait for their turn"`
	TLS12          int           `stat:"tls_12 tls_12_connections gauge" help:"connections of TLS 1.2"`
	TLSExpiry      time.Duration `stat:"tls_certificate_seconds tls_certificate_seconds gauge" help:"until the certificate expires; 0 without TLS"`
	TakenWindows   int64         `stat:"taken_windows taken_windows gauge" help:"clients of which it is remembered what they have sent, those without a session included"`
	PostsRefused   uint64        `stat:"refused_posts refused_posts counter" help:"posts that a loop's full mailbox refused: Server.Deliver and its kin returned ErrBusy"`

	Age time.Duration `stat:"snapshot_age_seconds snapshot_age_seconds gauge" help:"age of the oldest loop's numbers; growing: that loop is stuck"`
	Counters
}

// Evictions is the number of clients that were dropped for silence.
func (s Stats) Evictions() uint64 { return s.Closes[ReasonHeartbeatTimeout] }

// Metric is a number of Stats, as monitoring systems want it.
type Metric struct {
	Name    string // without a prefix; "_total" is the suffix of a counter
	Help    string
	Counter bool // it only grows

	row row
}

// Metrics are all numbers of Stats but Closes.
func Metrics() (all []Metric) {
	for _, r := range rows {
		if r.metric != "" {
			all = append(all, Metric{Name: r.metric, Help: r.help, Counter: r.counter, row: r})
		}
	}
	return all
}

// Value is the metric's in st; a duration is in seconds.
func (m Metric) Value(st *Stats) float64 {
	switch v := m.row.value(st).(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	case uint64:
		return float64(v)
	case string:
		return float64(map[string]int{"refuse": 1, "shed": 2}[v])
	default:
		panic("server: no number")
	}
}

// row is a field of Stats that has a tag.
type row struct {
	index              []int
	json, metric, help string
	counter, largest   bool
}

var rows = readRows()

func readRows() (all []row) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Stats]()) {
		words := strings.Fields(f.Tag.Get("stat"))
		if len(words) == 0 {
			continue
		}
		r := row{index: f.Index, json: words[0], help: f.Tag.Get("help")}
		if len(words) > 1 {
			r.metric, r.counter = words[1], words[2] == "counter"
			if r.counter {
				r.metric += "_total"
			}
			r.largest = len(words) > 3
		}
		all = append(all, r)
	}
	return all
}

// value is what the row says in st: int64, uint64, float64, which a duration is in seconds, or
// string.
func (r *row) value(st *Stats) any {
	switch v := reflect.ValueOf(st).Elem().FieldByIndex(r.index); {
	case v.Type() == reflect.TypeFor[time.Duration]():
		return time.Duration(v.Int()).Seconds()
	case v.CanInt():
		return v.Int()
	case v.CanUint():
		return v.Uint()
	case v.CanFloat():
		return v.Float()
	default:
		return v.String()
	}
}

// add adds a loop's counters.
func (s *Stats) add(c *Counters) {
	sum, of := reflect.ValueOf(&s.Counters).Elem(), reflect.ValueOf(c).Elem()
	for i := range rows {
		r := &rows[i]
		if len(r.index) < 2 {
			continue // the node's own
		}
		a, b := sum.Field(r.index[1]), of.Field(r.index[1])
		switch {
		case r.largest:
			a.SetInt(max(a.Int(), b.Int()))
		case a.CanInt():
			a.SetInt(a.Int() + b.Int())
		default:
			a.SetUint(a.Uint() + b.Uint())
		}
	}
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
	all := map[string]any{"evictions": s.Evictions(), "closes": closes}
	for i := range rows {
		all[rows[i].json] = rows[i].value(&s)
	}
	return json.Marshal(all)
}
