package convert
import ("testing";"os";"github.com/herd-lm/herd/core/model";"github.com/herd-lm/herd/core/tokenizer")
func TestZZ(t *testing.T){
	tok,err:=tokenizer.Load("/tmp/x/a"); if err!=nil {t.Fatal(err)}
	c := model.Config{Architectures: []string{model.CausalLM}, ModelType: "llama", HiddenAct: "silu", InitRange: 0.02,
		VocabSize: 49152, HiddenSize: 576, IntermediateSize: 1536, Layers: 30, Heads: 9, KVHeads: 3, HeadDim: 64,
		MaxPositions: 512, RopeTheta: 10000, NormEps: 1e-5, TiedHead: true}
	p:=model.NewParams(c,false); p.Init(3)
	dir:="/tmp/x/smol"; os.MkdirAll(dir,0o777)
	if err:=p.Save(dir); err!=nil {t.Fatal(err)}
	if err:=tok.Save(dir); err!=nil {t.Fatal(err)}
}
