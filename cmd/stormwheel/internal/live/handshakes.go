package live

import "slices"

// shakes: the run makes TLS handshakes, and has no clients.
func (m *model) shakes() bool { return m.last.Scenario == "handshake" }

// handshakes are those of each second, and how long the last took.
func (m *model) handshakes(width, _ int) []string {
	const figure = 9
	room, top, now := max(width-gutter-figure, 0), 0.0, 0.0
	values := m.series(room, handshakesOf)
	if len(values) > 0 {
		top, now = slices.Max(values), values[len(values)-1]
	}
	var p50, p99 *float64
	if s := m.status; s != nil {
		p50, p99 = s.HandshakeP50, s.HandshakeP99
	}
	return append(m.named("ended", m.look.sparkline(values, top, room)+padLeft(count(int(now))+"/s", figure)), m.named("latency", spans(p50, p99, width))...)
}
