package serve

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestManyStreams checks 200 streams at once. Each must equal the answer to the same request
// alone, with bounded goroutines and memory, and no goroutine may remain.
func TestManyStreams(t *testing.T) {
	const streams = 200
	length := 60
	if testing.Short() {
		length = 8
	}
	_, at := start(t, nil, modelOf(t, "m", newEngine(t, 0)))
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: streams}}
	body := func(i int, more string) string {
		return fmt.Sprintf(`{"messages":[{"role":"user","content":"the herd %d"}],"seed":%d,"max_tokens":%d%s}`, i%7, i, length, more)
	}
	alone := make([]string, streams)
	for i := range alone {
		status, a := whole(t, at.URL+"/v1/chat/completions", body(i, ""))
		if status != http.StatusOK {
			t.Fatalf("%d %+v", status, a.Error)
		}
		alone[i] = a.Choices[0].Message.Content
	}
	http.DefaultClient.CloseIdleConnections()
	before, goroutines := heap(), runtime.NumGoroutine()
	var most, routines atomic.Int64
	watched := make(chan struct{})
	stop := make(chan struct{})
	go func() {
		defer close(watched)
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				most.Store(max(most.Load(), int64(heap())))
				routines.Store(max(routines.Load(), int64(runtime.NumGoroutine())))
			}
		}
	}()
	var all sync.WaitGroup
	for i := range streams {
		all.Go(func() {
			r, err := client.Post(at.URL+"/v1/chat/completions", "application/json", strings.NewReader(body(i, `,"stream":true`)))
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Body.Close()
			got, err := readStream(r.Body)
			if err != nil || !got.done || len(got.texts) != 1 || got.texts[0] != alone[i] {
				t.Errorf("stream %d: %d %v, %+v, want %q", i, r.StatusCode, err, got.texts, alone[i])
			}
		})
	}
	all.Wait()
	close(stop)
	<-watched
	// A request has goroutines of the client (3), of the connection (2), and of the
	// answer (2); a stream and its buffers are some tens of kilobytes.
	if n := routines.Load() - int64(goroutines); n > 10*streams {
		t.Errorf("%d goroutines", n)
	}
	if more := most.Load() - int64(before); more > 100<<20 {
		t.Errorf("%d MB more in use", more>>20)
	}
	client.CloseIdleConnections()
	eventually(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= goroutines+5 })
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
