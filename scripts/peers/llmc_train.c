// Measures llm.c's training step on a CPU: a GPT-2 of a given shape with random
// weights and tokens, in place of train_gpt2.c's own main, whose shapes are fixed.
//
//	gcc -Ofast -march=native -fopenmp -DOMP -ILLM.C llmc_train.c -lm -o llmc_train
//	llmc_train STEPS BATCH SEQUENCE CHANNELS LAYERS HEADS VOCABULARY
//
// LLM.C is a checkout of github.com/karpathy/llm.c.
#define TESTING // leaves out main
#include "train_gpt2.c"

static float uniform(void) { return rand() / (float)RAND_MAX - 0.5f; }

static void ones(float *x, size_t n) {
    for (size_t i = 0; i < n; i++) { x[i] = 1; }
}

static void build(GPT2 *model) {
    fill_in_parameter_sizes(model->param_sizes, model->config);
    for (int i = 0; i < NUM_PARAMETER_TENSORS; i++) { model->num_parameters += model->param_sizes[i]; }
    model->params_memory = malloc_and_point_parameters(&model->params, model->param_sizes);
    for (size_t i = 0; i < model->num_parameters; i++) { model->params_memory[i] = 0.07f * uniform(); }
    size_t C = model->config.channels, L = model->config.num_layers;
    ones(model->params.ln1w, L * C);
    ones(model->params.ln2w, L * C);
    ones(model->params.lnfw, C);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc != 8) {
        fprintf(stderr, "usage: %s STEPS BATCH SEQUENCE CHANNELS LAYERS HEADS VOCABULARY\n", argv[0]);
        return 2;
    }
    int steps = atoi(argv[1]), B = atoi(argv[2]), T = atoi(argv[3]), V = atoi(argv[7]);
    GPT2 model = {.config = {
        .max_seq_len = T, .vocab_size = V, .padded_vocab_size = (V + 127) / 128 * 128,
        .channels = atoi(argv[4]), .num_layers = atoi(argv[5]), .num_heads = atoi(argv[6]),
    }};
    build(&model);
    int *tokens = mallocCheck((B * T + 1) * sizeof(int));
    for (int step = 1; step <= steps; step++) {
        for (int i = 0; i <= B * T; i++) { tokens[i] = rand() % V; }
        double began = now();
        gpt2_forward(&model, tokens, tokens + 1, B, T);
        gpt2_zero_grad(&model);
        gpt2_backward(&model);
        gpt2_update(&model, 3e-4f, 0.9f, 0.95f, 1e-8f, 0.1f, step);
        printf("step %d: %.1f tok/s, loss %f\n", step, B * T / (now() - began), model.mean_loss);
    }
    gpt2_free(&model);
    free(tokens);
    return 0;
}
