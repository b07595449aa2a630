package peers

import (
	"net"
	"time"
)

// readBuffer holds a HELLO or a few PINGs; a larger frame makes it grow. With bufio's 4 KiB
// a connection would cost as much again.
const readBuffer = 256

// serveGoNet is the standard library's way: a goroutine a connection, and a read deadline.
func serveGoNet(t *Serve) (string, error) {
	l, err := net.Listen("tcp4", t.Listen)
	if err != nil {
		return "", err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				time.Sleep(10 * time.Millisecond) // out of descriptors: somebody will leave
				continue
			}
			go t.desk.attend(c, t.Timeout)
		}
	}()
	return l.Addr().String(), nil
}

// attend serves one connection until it ends or has been silent for the timeout.
func (d *desk) attend(c net.Conn, timeout time.Duration) {
	defer c.Close()
	buf := make([]byte, readBuffer)
	have := 0
	for {
		if err := c.SetReadDeadline(time.Now().Add(timeout)); err != nil {
			return
		}
		n, err := c.Read(buf[have:])
		if err != nil {
			return
		}
		have += n
		used, err := d.writeTo(c, buf[:have])
		if err != nil {
			return
		}
		have = copy(buf, buf[used:have])
		if have == len(buf) {
			buf = append(buf, make([]byte, len(buf))...)
		}
	}
}

// writeTo answers b to a connection that copies or sends what it is given to write.
func (d *desk) writeTo(c net.Conn, b []byte) (used int, err error) {
	out := d.borrow()
	defer d.giveBack(out)
	if *out, used, err = d.answer(*out, b); err != nil || len(*out) == 0 {
		return used, err
	}
	_, err = c.Write(*out)
	return used, err
}
