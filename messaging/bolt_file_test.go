package messaging_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/stormwheel/stormwheel/messaging"
)

func record(user, body string) messaging.Record {
	return messaging.Record{User: user, Put: time.Now(), Expires: time.Now().Add(time.Hour), Body: []byte(body)}
}

// filled makes a store with records of 50 users, some delayed, and returns what is in it.
func filled(t *testing.T, path string) map[string]string {
	t.Helper()
	s := openBolt(t, path, messaging.Bounds{})
	for n := range 10 {
		var batch []messaging.Record
		for u := range 50 {
			r := record(fmt.Sprint("user", u), fmt.Sprintf("%d %0*d", n, 200, u))
			if n == 3 {
				r.Due = time.UnixMilli(1_000_000 + int64(u))
			}
			batch = append(batch, r)
		}
		if err := s.Put(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	all := contents(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	cutZeros(t, path)
	return all
}

// cutZeros cuts off the pages behind those that a store has ever used: no damage to them is one.
func cutZeros(t *testing.T, path string) {
	t.Helper()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	n := len(bytes.TrimRight(whole, "\x00"))
	if err := os.Truncate(path, int64((n+page-1)/page*page)); err != nil {
		t.Fatal(err)
	}
}

// contents are all bodies, by user and key.
func contents(t *testing.T, s messaging.Store) map[string]string {
	t.Helper()
	all, err := readContents(s)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func readContents(s messaging.Store) (map[string]string, error) {
	all := make(map[string]string)
	ctx := context.Background()
	add := func(records []messaging.Record) {
		for _, r := range records {
			all[fmt.Sprint(r.User, " ", r.Key, " ", r.Due.UnixMilli())] = string(r.Body)
		}
	}
	for after := (messaging.Moment{}); ; {
		records, err := s.Due(ctx, time.Now().Add(1000*time.Hour), after, 100)
		if err != nil {
			return nil, err
		}
		if len(records) == 0 {
			break
		}
		add(records)
		last := records[len(records)-1]
		after = messaging.Moment{Due: last.Due, Key: last.Key}
	}
	users, err := s.Users(ctx, "", 1000)
	for _, w := range users {
		for after := messaging.Key(0); err == nil; {
			var records []messaging.Record
			if records, err = s.Next(ctx, w.User, after, 100); len(records) == 0 {
				break
			}
			add(records)
			after = records[len(records)-1].Key
		}
	}
	return all, err
}

func TestBoltOfOneProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := openBolt(t, path, messaging.Bounds{})
	if _, err := messaging.OpenBolt(path, messaging.Bounds{}); !errors.Is(err, messaging.ErrStoreInUse) {
		t.Errorf("a second OpenBolt: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openBolt(t, path, messaging.Bounds{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestBoltTellsWhatIsNoStore(t *testing.T) {
	dir := t.TempDir()
	for name, make := range map[string]func(path string){
		"text":   func(path string) { os.WriteFile(path, bytes.Repeat([]byte("hello\n"), 10_000), 0o600) },
		"short":  func(path string) { os.WriteFile(path, []byte("hello\n"), 0o600) },
		"folder": func(path string) { os.Mkdir(path, 0o700) },
		"other": func(path string) {
			boltDo(t, path, func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("other")); return err })
		},
		"newer": func(path string) {
			filled(t, path)
			boltDo(t, path, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("format"), []byte{0, 0, 0, 2}) })
		},
	} {
		path := filepath.Join(dir, name)
		make(path)
		before, _ := os.ReadFile(path)
		_, err := messaging.OpenBolt(path, messaging.Bounds{})
		if !errors.Is(err, messaging.ErrStoreFormat) && !errors.Is(err, messaging.ErrStoreDamaged) || !bytes.Contains([]byte(fmt.Sprint(err)), []byte(path)) {
			t.Errorf("%s: %v", name, err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Errorf("%s: the file was written", name)
		}
		t.Log(err)
	}
	if _, err := messaging.OpenBolt(filepath.Join(dir, "no", "such", "folder"), messaging.Bounds{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func boltDo(t *testing.T, path string, f func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(f), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestBoltDamagedFile: whatever page is damaged, and however, the store does not open, or what it
// has is right; and it never panics.
func TestBoltDamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	want := filled(t, path)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	chance := rand.New(rand.NewPCG(seed, 2))
	const page = 4096
	refused := 0
	for n := range len(whole) / page {
		for how, damage := range map[string]func(p []byte){
			"zeros":  func(p []byte) { clear(p) },
			"noise":  func(p []byte) { noise(chance, p) },
			"header": func(p []byte) { noise(chance, p[:32]) },
			"a byte": func(p []byte) { p[chance.IntN(len(p))] ^= 1 << chance.IntN(8) },
			"half":   func(p []byte) { copy(p[page/2:], p) },
		} {
			file := bytes.Clone(whole)
			damage(file[n*page : (n+1)*page])
			if opened := openDamaged(t, path, file, want); !opened {
				refused++
			}
			if t.Failed() {
				t.Fatalf("page %d, %s, seed %d", n, how, seed)
			}
		}
	}
	t.Logf("%d of %d damaged files were refused", refused, len(whole)/page*5)
	if refused < len(whole)/page {
		t.Error("so few?")
	}
}

func noise(chance *rand.Rand, p []byte) {
	for i := range p {
		p[i] = byte(chance.Uint32())
	}
}

func TestBoltShortenedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	want := filled(t, path)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := 100; n < len(whole); n += len(whole)/40 + 1 {
		openDamaged(t, path, whole[:n], want)
	}
}

// openDamaged opens a file of these bytes, and tells whether that was possible.
func openDamaged(t *testing.T, path string, file []byte, want map[string]string) bool {
	t.Helper()
	os.Remove(path)
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := messaging.OpenBolt(path, messaging.Bounds{})
	if err != nil {
		if !errors.Is(err, messaging.ErrStoreDamaged) && !errors.Is(err, messaging.ErrStoreFormat) {
			t.Errorf("OpenBolt: %v", err)
		}
		return false
	}
	defer s.Close()
	if got := contents(t, s); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("it opened with %d records, want %d", len(got), len(want))
	}
	return true
}

// TestBoltDamagedWhileOpen: the process lives, and what is returned is right.
func TestBoltDamagedWhileOpen(t *testing.T) {
	for how, damage := range map[string]func(f *os.File) error{
		"shortened": func(f *os.File) error { return f.Truncate(2 * 4096) },
		"noise": func(f *os.File) error {
			b := make([]byte, 60*4096)
			noise(rand.New(rand.NewPCG(1, 2)), b)
			_, err := f.WriteAt(b, 2*4096)
			return err
		},
	} {
		path := filepath.Join(t.TempDir(), "store")
		want := filled(t, path)
		s := openBolt(t, path, messaging.Bounds{})
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(damage(f), f.Close()); err != nil {
			t.Fatal(err)
		}
		got, err := readContents(s)
		if err == nil {
			t.Errorf("%s: read %d of %d records without an error", how, len(got), len(want))
		}
		for range 2 {
			if err := s.Put(t.Context(), []messaging.Record{record("user1", "x")}); !errors.Is(err, messaging.ErrStoreDamaged) {
				t.Errorf("%s: Put: %v", how, err)
			}
			if _, err := s.Next(t.Context(), "user1", 0, 1); !errors.Is(err, messaging.ErrStoreDamaged) {
				t.Errorf("%s: Next: %v", how, err)
			}
		}
		s.Close()
	}
}
