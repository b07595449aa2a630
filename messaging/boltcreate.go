package messaging

import (
	"errors"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// create makes an empty store under another name and gives it its own when it is whole, so that there
// is never half a store. Somebody else's, who was faster, stays.
func (s *Bolt) create() error {
	folder := filepath.Dir(s.path)
	f, err := os.CreateTemp(folder, filepath.Base(s.path)+".new*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := f.Close(); err != nil {
		return err
	}
	db, err := s.openBolt(f.Name(), bbolt.Options{})
	if err != nil {
		return err
	}
	if err := errors.Join(db.Update(makeBuckets), db.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), s.path); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return syncFolder(folder)
}

// syncFolder makes a new file's name durable.
func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
