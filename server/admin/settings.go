package admin

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/internal/loopback"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/prom"
)

// A Tuner is what /settings changes; *server.Server is one.
type Tuner interface {
	Tunable() server.Tunable
	Update(change func(*server.Tunable)) error
}

// maxSettings is how long the body of a PATCH may be, in bytes.
const maxSettings = 64 << 10

// settings are server.Tunable as JSON has it, but for the secrets, which stay in their files.
type settings struct {
	Alternates     []string `json:"alternates"`
	FailoverRate   float64  `json:"failover_rate"`
	AdmitRate      float64  `json:"admit_rate"`
	HandshakeRate  float64  `json:"handshake_rate"`
	MaxWindow      period   `json:"max_window"`
	MaxConns       int      `json:"max_conns"`
	AddrConns      int      `json:"addr_conns"`
	AddrRate       float64  `json:"addr_rate"`
	IDRate         float64  `json:"id_rate"`
	MaxFrameRate   int      `json:"max_frame_rate"`
	MaxByteRate    int      `json:"max_byte_rate"`
	UnsettledBytes int      `json:"unsettled_bytes"`
	DrainGrace     period   `json:"drain_grace"`
	DrainWindow    period   `json:"drain_window"`
	LogLevel       *level   `json:"log_level,omitempty"`
}

func settingsOf(t server.Tunable) settings {
	if t.Alternates == nil {
		t.Alternates = []string{} // none is a list, too
	}
	var log *level // a copy: what is merged into it may prove wrong
	if t.LogLevel != nil {
		log = new(level(*t.LogLevel))
	}
	return settings{t.Alternates, t.FailoverRate, t.AdmitRate, t.HandshakeRate, period(t.MaxWindow), t.MaxConns, t.AddrConns, t.AddrRate, t.IDRate,
		t.MaxFrameRate, t.MaxByteRate, t.UnsettledBytes, period(t.DrainGrace), period(t.DrainWindow), log}
}

func (s *settings) apply(t *server.Tunable) {
	t.Alternates, t.FailoverRate, t.AdmitRate, t.MaxWindow = s.Alternates, s.FailoverRate, s.AdmitRate, time.Duration(s.MaxWindow)
	t.HandshakeRate = s.HandshakeRate
	t.MaxConns, t.AddrConns, t.AddrRate, t.IDRate = s.MaxConns, s.AddrConns, s.AddrRate, s.IDRate
	t.MaxFrameRate, t.MaxByteRate, t.UnsettledBytes = s.MaxFrameRate, s.MaxByteRate, s.UnsettledBytes
	t.DrainGrace, t.DrainWindow = time.Duration(s.DrainGrace), time.Duration(s.DrainWindow)
	t.LogLevel = (*slog.Level)(s.LogLevel)
}

// period is a duration as text: "1m30s".
type period time.Duration

// MarshalText implements encoding.TextMarshaler.
func (p period) MarshalText() ([]byte, error) { return []byte(time.Duration(p).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *period) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*p = period(d)
	return err
}

// level is one of a log, as text: "debug".
type level slog.Level

// MarshalText implements encoding.TextMarshaler.
func (l level) MarshalText() ([]byte, error) {
	return []byte(strings.ToLower(slog.Level(l).String())), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *level) UnmarshalText(text []byte) error { return (*slog.Level)(l).UnmarshalText(text) }

// settingsHandler shows and changes the settings.
type settingsHandler struct {
	node  Tuner
	holds prom.Source // tells what max_conns is where its default holds
}

// ServeHTTP answers those alone who ask by a name of this machine: a page in an operator's browser
// whose name was made to lead here has another.
func (h settingsHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !loopback.Host(r.Host) {
		http.Error(w, "settings are for this machine: ask by localhost or its address", http.StatusForbidden)
		return
	}
	if r.Method == http.MethodPatch {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSettings))
		if err == nil {
			err = h.change(body)
		}
		if err != nil {
			http.Error(w, asMembers(err), http.StatusBadRequest)
			return
		}
	}
	now := settingsOf(h.node.Tunable())
	if now.MaxConns == 0 {
		now.MaxConns = int(h.holds.Stats().MaxConns)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(now) // the reader may be gone
}

// change has the members of a JSON object take the place of what there is; the others stay.
func (h settingsHandler) change(body []byte) error {
	var bad error
	err := h.node.Update(func(t *server.Tunable) {
		next := settingsOf(*t)
		if bad = merge(body, &next); bad == nil {
			next.apply(t)
		}
	})
	if bad != nil {
		return bad
	}
	return err
}
