package messages

import (
	"errors"
	"math/rand/v2"
	"os"
	"time"
)

// A commit of the store writes pages here and there, and has two fsyncs: what those cost is the disk's matter, and that
// of whoever else writes to it.
const (
	diskFile  = 16 << 20
	diskPage  = 4096
	diskPages = 32 // before each fsync: those of a commit at the paced rate, about
)

// disk measures fsyncs in a folder for a while.
func disk(dir string, d time.Duration) (took []time.Duration, err error) {
	f, err := os.CreateTemp(dir, "fsync")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if _, err := f.Write(make([]byte, diskFile)); err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	page := make([]byte, diskPage)
	for began := time.Now(); time.Since(began) < d; {
		for range diskPages {
			page[0]++
			if _, err := f.WriteAt(page, rand.Int64N(diskFile/diskPage)*diskPage); err != nil {
				return nil, err
			}
		}
		at := time.Now()
		if err := f.Sync(); err != nil {
			return nil, err
		}
		took = append(took, time.Since(at))
	}
	return took, nil
}
