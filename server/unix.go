package server

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// gnet is never given the path of a unix socket: it removes whatever is there, with all that is in
// it, and gives up SO_REUSEPORT for the whole engine. So the socket is ours, and so are its accepts
// (unix_accept.go).

// unixPrefix marks the address of a unix socket.
const unixPrefix = "unix:"

// unixPath is the path of an address that is a unix socket's.
func unixPath(addr string) (path string, is bool) { return strings.CutPrefix(addr, unixPrefix) }

// maxUnixPath is how long a path may be: the kernel's field has its end in it, too.
const maxUnixPath = len(unix.RawSockaddrUnix{}.Path) - 1

// checkUnixPath returns one sentence about a path at which there cannot be a socket, whatever is there.
func checkUnixPath(path string) error {
	switch {
	case path == "":
		return errors.New("has no path")
	case path[0] == '@':
		return errors.New("is an abstract name, which has no mode: anybody could connect")
	case strings.ContainsAny(path, "\x00\r\n"):
		return errors.New("has a path with control characters")
	case len(path) > maxUnixPath:
		return fmt.Errorf("has a path of %d bytes, and the system takes %d", len(path), maxUnixPath)
	}
	return nil
}

// unixClaim is a socket that listens, and that is known again at its path.
type unixClaim struct {
	path   string
	index  int // of Config.Listeners
	users  []uint32
	socket *net.UnixListener
	is     fs.FileInfo // as it was bound
}

// claimUnix binds the socket of a listener and has it listen. What is at the path already stays,
// unless it is a dead socket of the same user: nobody listens there, as after a kill -9. Who does so
// holds a lock on the folder, so that of two that find a dead socket only one takes its place.
func claimUnix(l *Listener, index int) (*unixClaim, error) {
	path, _ := unixPath(l.Addr)
	unlock, err := lockFolder(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := clearPath(path); err != nil {
		return nil, err
	}
	c := &unixClaim{path: path, index: index, users: l.Users}
	fd, err := bindUnix(path, l.Mode)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	if c.is, err = os.Lstat(path); err != nil {
		return nil, err
	}
	nl, err := net.FileListener(f)
	if err != nil {
		_ = os.Remove(path)
		return nil, err
	}
	c.socket = nl.(*net.UnixListener)
	c.socket.SetUnlinkOnClose(false) // it does not look at what it removes
	return c, nil
}

// bindUnix binds and listens. Nobody can connect before the socket has its mode: until it listens
// the kernel refuses.
func bindUnix(path string, mode fs.FileMode) (fd int, err error) {
	syscall.ForkLock.RLock()
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	if err = unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("bind: %w", err)
	}
	if err = os.Chmod(path, mode); err == nil {
		err = unix.Listen(fd, unix.SOMAXCONN)
	}
	if err != nil {
		_ = unix.Close(fd)
		_ = os.Remove(path)
		return -1, fmt.Errorf("listen: %w", err)
	}
	return fd, nil
}

// lockTime is how long a node waits for another that binds in the same folder.
const lockTime = 5 * time.Second

// lockFolder locks a folder in which nobody but its owner, or the owner of a file, can put another
// file in a file's place.
func lockFolder(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
		err = fmt.Errorf("everybody may write in its folder %s, and so put another socket in its place", dir)
	}
	for until := time.Now().Add(lockTime); err == nil; time.Sleep(10 * time.Millisecond) {
		switch err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
		case err == nil:
			return func() { f.Close() }, nil
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EWOULDBLOCK) && time.Now().Before(until):
			err = nil
		case errors.Is(err, unix.EWOULDBLOCK):
			err = fmt.Errorf("somebody else keeps its folder %s locked", dir)
		default:
			err = fmt.Errorf("lock its folder %s: %w", dir, err)
		}
	}
	f.Close()
	return nil, err
}

// clearPath leaves nothing at the path, or says what is there.
func clearPath(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case mode.IsDir():
		return errors.New("there is a folder at its path")
	case mode&fs.ModeSymlink != 0:
		return errors.New("there is a symbolic link at its path")
	case mode&fs.ModeSocket == 0:
		return errors.New("there is a file at its path that is no socket")
	}
	// An honest error here is EAGAIN of a queue that is full, or EPROTOTYPE of another kind of socket.
	c, err := net.DialTimeout("unix", path, lockTime)
	if err == nil {
		c.Close()
	}
	owner, self := int64(os.Geteuid()), int64(os.Geteuid())
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		owner = int64(stat.Uid)
	}
	if err := mayReplace(err, owner, self); err != nil {
		return err
	}
	return os.Remove(path)
}

// mayReplace says why a socket of owner's is not self's to replace, which answered so when it was called.
func mayReplace(answer error, owner, self int64) error {
	switch {
	case errors.Is(answer, unix.EACCES) && owner != self:
		return fmt.Errorf("there is a socket of another user (%d) at its path, in use or dead: this one may not call it", owner)
	case !errors.Is(answer, unix.ECONNREFUSED):
		return fmt.Errorf("there is a socket in use at its path: %w", unix.EADDRINUSE)
	case owner != self:
		return fmt.Errorf("there is a dead socket of another user (%d) at its path", owner)
	}
	return nil
}

// close ends the listening and removes the socket from its path, if it is there still.
func (c *unixClaim) close() {
	if info, err := os.Lstat(c.path); err == nil && os.SameFile(info, c.is) {
		_ = os.Remove(c.path)
	}
	_ = c.socket.Close()
}
