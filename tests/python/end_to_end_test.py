"""From a model to private answers over a real socket, and every form in which images come."""

import pathlib
import tempfile
import unittest

import numpy as np
from support import IMAGES, MODEL, NAMES, NORMALIZE, needs_images, plan, tests, training

import autoprivacy


@needs_images
class EndToEnd(unittest.TestCase):
    def test_fifteen_lines(self):
        import autoprivacy as ap

        train = ap.images(f"mnist-train:{IMAGES}").array[:128]
        images = ap.images(f"mnist:{IMAGES}")
        plan = ap.compile(MODEL, train, NORMALIZE, class_names=NAMES)
        with ap.Server(plan, count_in_memory=True) as server:
            with ap.Client(plan).connect(server.url, trust=server.fingerprint) as client:
                answers = client.classify(images.array[:10])
        right = sum(answer.label == label for answer, label in zip(answers, images.labels))
        self.assertGreaterEqual(right, 9)
        self.assertEqual(answers[0].name, "Ankle boot")

    def test_files_of_the_plan_serve_as_the_plan_does(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            plan().write(folder)
            self.assertEqual((folder / "client.apm").read_bytes(), plan().client_package)
            self.assertEqual((folder / "server.apm").stat().st_mode & 0o077, 0)
            with autoprivacy.Server(folder / "server.apm") as server:
                client = autoprivacy.Client(folder / "client.apm")
                with client.connect(server.url, trust=server.fingerprint):
                    self.assertEqual(client.classify(tests()[0][0]).label, 9)
            self.assertTrue((folder / "server.apm.ledger").is_file())

    def test_plan_says_what_was_chosen(self):
        self.assertGreaterEqual(plan().min_lambda_bits, 128)
        self.assertEqual(plan().package_id, autoprivacy.audit(plan()).package_id)
        self.assertEqual(plan().package_id, plan().client().package_id)
        linear = [layer for layer in plan().layers if layer.linear]
        self.assertEqual(len(linear), 4)
        self.assertTrue(all(layer.linear.ring_degree >= 1024 for layer in linear))
        self.assertEqual(len(plan().table()), 1 + len(plan().layers))
        self.assertIn("<table>", plan()._repr_html_())
        self.assertIn("exact", repr(plan()))

    def test_audit_and_simulation(self):
        audit = autoprivacy.audit(plan().server_package)
        self.assertEqual(audit.min_lambda_bits, plan().min_lambda_bits)
        self.assertTrue(audit.assumptions)
        images, labels = tests()
        simulation = autoprivacy.simulate(plan(), (images, labels), seeds=2)
        self.assertEqual((simulation.images, simulation.seeds), (10, 2))
        self.assertGreaterEqual(simulation.top1, 0.9)
        clear, scores = autoprivacy.classify_in_clear(plan(), images)
        self.assertEqual(scores.shape, (10, 10))
        np.testing.assert_array_equal(clear, scores.argmax(axis=1))


@needs_images
class Forms(unittest.TestCase):
    """One session for many small calls."""

    @classmethod
    def setUpClass(cls):
        cls.server = plan().server(count_in_memory=True, share_statistics="session").start()
        cls.client = plan().client().connect(cls.server.url, trust=cls.server.fingerprint)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.server.stop()

    def test_one_image(self):
        image = tests()[0][0]
        # The package's scale, 255, holds for whole numbers and floats alike.
        for form in (image, image[0], image.ravel(), image[0].tolist(), image[0].astype(np.float64)):
            with self.subTest(type(form)):
                answer = self.client.classify(form)
                self.assertIsInstance(answer, autoprivacy.Classification)
                self.assertEqual(answer.label, 9)
                self.assertEqual(answer.name, "Ankle boot")
                self.assertEqual(answer.scores.shape, (10,))
                self.assertEqual(int(answer.scores.argmax()), 9)

    def test_many_images(self):
        images, labels = tests()
        some = images[:3]
        forms = [some, some[:, 0], some.reshape(3, -1)]
        for form in forms:
            with self.subTest(form.shape):
                self.assertEqual([answer.label for answer in self.client.classify(form)], labels[:3].tolist())
        last = some.transpose(0, 2, 3, 1)
        self.assertEqual(len(self.client.classify(last, channels_last=True)), 3)
        self.assertEqual(self.client.classify(images[:1])[0].label, 9, "one image in a batch gives a list")

    def test_answers_are_those_of_the_clear_network(self):
        images, _ = tests()
        clear, scores = autoprivacy.classify_in_clear(plan(), images)
        np.testing.assert_array_equal(self.client.predict(images), clear)
        private = self.client.classify(images[0]).scores
        np.testing.assert_allclose(private, scores[0], atol=0.05 * np.abs(scores[0]).max())

    def test_preparing_ahead(self):
        self.client.prepare(2)
        self.assertEqual(self.client.prepared, 2)
        self.client.classify(tests()[0][0])
        self.assertEqual(self.client.prepared, 1)
        self.client.classify(tests()[0][0])

    def test_report(self):
        report = self.client.classify(tests()[0][0]).report
        self.assertGreater(report.offline.bytes_up, 10_000)
        self.assertGreater(report.online.seconds, 0)
        self.assertIsNotNone(report.online.server_cpu_seconds)
        self.assertEqual(report.layers[0].protocol, "he")
        self.assertFalse(report.from_store)

    def test_wrong_shapes_are_refused_with_both_shapes(self):
        with self.assertRaisesRegex(autoprivacy.InputError, "1x27x28.*1x28x28"):
            self.client.classify(np.zeros((2, 1, 27, 28), np.uint8))
        with self.assertRaisesRegex(autoprivacy.InputError, "5 dimensions"):
            self.client.classify(np.zeros((1, 2, 1, 28, 28), np.uint8))
        with self.assertRaisesRegex(autoprivacy.InputError, "object|<U"):
            self.client.classify(np.array(["a", "b"]))
        self.assertEqual(self.client.classify(tests()[0][0]).label, 9, "the session goes on")


@needs_images
class Stores(unittest.TestCase):
    def test_stored_inferences_serve_a_later_session(self):
        with tempfile.TemporaryDirectory() as name, plan().server(
            count_in_memory=True, store=pathlib.Path(name) / "server"
        ) as server:
            client = plan().client()
            options = {"trust": server.fingerprint, "store": pathlib.Path(name) / "client"}
            with client.connect(server.url, **options):
                self.assertEqual(client.store(2), 2)
            with client.connect(server.url, **options):
                self.assertTrue(client.classify(tests()[0][0]).report.from_store)


class Torch(unittest.TestCase):
    def setUp(self):
        try:
            import torch
        except ImportError:
            self.skipTest("torch cannot be imported; install python3-torch")
        self.torch = torch

    def test_module_is_exported_and_compiled(self):
        torch = self.torch
        torch.manual_seed(1)
        module = torch.nn.Sequential(
            torch.nn.Conv2d(1, 4, 3, stride=2), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.Flatten(),
            torch.nn.Linear(4 * 3 * 3, 3),
        )  # fmt: skip
        images = torch.rand(64, 1, 8, 8)
        plan = autoprivacy.compile(module, images)
        self.assertTrue(module.training, "the module is left as it was")
        with plan.server(count_in_memory=True) as server:
            with plan.client().connect(server.url, trust=server.fingerprint) as client:
                private = client.predict(images[:8])
        module.eval()
        clear = module(images[:8]).argmax(dim=1).numpy()
        self.assertGreaterEqual(int((private == clear).sum()), 7)

    def test_module_that_takes_vectors(self):
        torch = self.torch
        module = torch.nn.Sequential(torch.nn.Linear(6, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
        data = np.random.default_rng(1).normal(size=(64, 6))  # rows of features, as for scikit-learn
        plan = autoprivacy.compile(module, data)
        self.assertEqual(plan.client().input_shape, (6, 1, 1))

    def test_what_cannot_be_exported_or_is_no_model(self):
        with self.assertRaisesRegex(autoprivacy.InputError, "torch cannot export Linear"):
            autoprivacy.compile(self.torch.nn.Linear(5, 2), np.zeros((4, 6), np.float32))
        with self.assertRaisesRegex(autoprivacy.InputError, "not a float"):
            autoprivacy.compile(1.5, np.zeros((4, 6), np.float32))


if __name__ == "__main__":
    unittest.main()
