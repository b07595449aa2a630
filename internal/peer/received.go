package peer

// Received takes a message of the bus, whatever its subject; own messages are known and dropped. What
// is no message of this protocol is counted and dropped. data is only read; actions may have views of it.
func (m *Machine) Received(now Now, data []byte, out *Out) {
	m.observe(now)
	if m.left {
		return
	}
	h, body, err := parseHeader(data)
	switch {
	case err == errVersion:
		m.stats.Unknown++
	case err != nil:
		m.stats.Malformed++
	case h.epoch == m.cfg.Epoch && string(h.name) == m.cfg.Node: // its own
	default:
		m.stats.Received++
		m.take(now, h, body, out)
		m.retune(now, out)
	}
}

func (m *Machine) take(now Now, h header, body []byte, out *Out) {
	if h.kind == 0 || h.kind >= kindsKnown {
		m.stats.Unknown++
		return
	}
	if h.kind == kindNode {
		a, err := parseAnnouncement(body)
		if err != nil {
			m.stats.Malformed++
			return
		}
		m.hear(now, h, &a, out)
		return
	}
	p := m.known[string(h.name)]
	if p == nil || p.epoch != h.epoch || p.state == Left {
		m.stats.Stale++
		return
	}
	if h.kind.directed() && p.audible(now, m.cfg.Alive) {
		m.up(now, p, out)
	}
	if err := m.takeFrom(now, p, h.kind, body, out); err != nil {
		m.stats.Malformed++
	}
}

// takeFrom takes what a known node says.
func (m *Machine) takeFrom(now Now, p *node, k kind, body []byte, out *Out) error {
	switch k {
	case kindClaims:
		if p.silent {
			m.stats.Stale++ // homes tell what holds
			return nil
		}
		c, err := parseClaims(body)
		if err != nil {
			return err
		}
		m.takeClaims(now, p, &c, out)
	case kindAsk, kindWant:
		q, err := parseQuestion(k, body)
		if err != nil {
			return err
		}
		if q.epoch != m.cfg.Epoch {
			m.stats.Stale++
			return nil
		}
		if !m.homing.silent {
			m.answer(p, k, q, out)
		}
	case kindList:
		if p.silent {
			m.stats.Stale++
			return nil
		}
		l, err := parseList(body)
		if err != nil {
			return err
		}
		m.takeList(now, p, &l, out)
	case kindAgain:
		if _, err := countRecords(body); err != nil {
			return err
		}
		for r := p.read(body); r.next(); {
			if r.kind == recordLogin {
				m.resolve(now, p, &r.Claim, out)
			}
		}
		m.again = m.again[:0] // the other knows of ours, or will: no answer to an answer
	case kindRegister, kindTook:
		return m.takeLane(now, p, k, body, out)
	case kindToHub, kindToHubs:
		if !p.live {
			m.stats.Stale++
			return nil
		}
		out.add(Action{Op: Message, Node: p.name, Data: body})
	}
	return nil
}

// takeLane takes REGISTER or TOOK.
func (m *Machine) takeLane(now Now, p *node, k kind, body []byte, out *Out) error {
	epoch, id, number, rest, err := parseLaneHead(body)
	switch {
	case err != nil:
		return err
	case epoch != m.cfg.Epoch || !p.live:
		m.stats.Stale++
	case k == kindTook:
		m.took(now, p, id, number, len(rest) > 0 && rest[0] != 0, out)
	case id == 0 || number == 0 || !wholeRecords(rest):
		return errMalformed
	default:
		m.takeFrame(now, p, id, number, rest, out)
	}
	return nil
}

// wholeRecords says whether b is records to its end.
func wholeRecords(b []byte) bool {
	for len(b) > 0 {
		_, _, size := nextRecord(b)
		if size == 0 {
			return false
		}
		b = b[size:]
	}
	return true
}

// Send sends body to the hub of a live node, behind all that was claimed before. False: it is not
// live, or body is larger than MaxBody.
func (m *Machine) Send(now Now, node string, body []byte, out *Out) bool {
	p := m.known[node]
	if p == nil || !p.live || m.left || len(body) > MaxBody {
		return false
	}
	m.toHubs(now, To, node, body, out)
	return true
}

// SendAll sends body to the hubs of all other live nodes, behind all that was claimed before. False:
// body is larger than MaxBody.
func (m *Machine) SendAll(now Now, body []byte, out *Out) bool {
	if m.left || len(body) > MaxBody {
		return false
	}
	if len(m.members.names) > 1 {
		m.toHubs(now, All, "", body, out)
	}
	return true
}

func (m *Machine) toHubs(now Now, subject Subject, node string, body []byte, out *Out) {
	m.observe(now)
	m.flush(now, out)
	start := len(out.data)
	out.data = m.AppendMessage(out.data, subject, body)
	m.publish(out, subject, node, start)
}

// AppendMessage appends to dst the message in which this node's hub tells body to others on a subject, To or
// All, for who sends it past the machine: see Quiet. Any goroutine may call it.
func (m *Machine) AppendMessage(dst []byte, subject Subject, body []byte) []byte {
	k := kindToHub
	if subject == All {
		k = kindToHubs
	}
	return append(appendHeader(dst, k, m.cfg.Epoch, m.cfg.Node), body...)
}
