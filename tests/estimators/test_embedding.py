import torch

from estimators.embedding import Embedding


def test_what_is_linear_goes_past_the_blocks():
    embedding = Embedding(2, 4, 2, 0.0)
    for name, weight in embedding.named_parameters():
        if not name.startswith("straight"):
            torch.nn.init.zeros_(weight)
    x = torch.randn(6, 2)
    torch.testing.assert_close(embedding(x), x @ embedding.straight.weight.T)
    assert embedding(x).any()


def test_dropout_is_for_training_alone():
    embedding = Embedding(2, 4, 1, 0.5)
    x = torch.ones(3, 2)
    assert not torch.equal(embedding(x), embedding(x))
    embedding.eval()
    assert torch.equal(embedding(x), embedding(x))
