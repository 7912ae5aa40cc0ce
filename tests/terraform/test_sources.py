"""The source of the module: its format, its own tests, and its README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sessionbucket._backends.s3.options import S3_CHECKS
from terraform.programs import MODULE, PROJECT, Terraform


def test_every_file_is_formatted(terraform: Terraform):
    terraform.run(MODULE, "fmt", "-check", "-recursive", "-diff")


@pytest.mark.slow  # the examples call the module, so their test validates it, too
def test_the_module_is_valid(terraform_for_aws: Terraform, module: Path):
    terraform_for_aws.run(module, "validate", "-no-color")


@pytest.mark.slow
def test_every_example_is_valid(terraform_for_aws: Terraform, examples: Path):
    terraform_for_aws.run(examples, "validate", "-no-color")


@pytest.mark.slow
def test_the_tests_of_the_module_pass(terraform_for_aws: Terraform, module: Path):
    printed = terraform_for_aws.run(module, "test", "-no-color")
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", printed), printed


@pytest.mark.parametrize(("kind", "heading"), [("variable", "Inputs"), ("output", "Outputs")])
def test_the_readme_lists_each_input_and_output_with_its_description(kind: str, heading: str):
    source = (MODULE / f"{kind}s.tf").read_text()
    described = dict(
        re.findall(rf'^{kind} "(\w+)" {{.*?^  description = "(.*?)"$', source, re.MULTILINE | re.DOTALL)
    )
    section = (MODULE / "README.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    listed = dict(re.findall(r"^\| `(\w+)` \| (.*?)(?: \| .*)? \|$", section, re.MULTILINE))
    assert described
    assert listed == {name: text.replace('\\"', '"') for name, text in described.items()}


def test_the_readme_lists_the_default_of_each_input():
    source = (MODULE / "variables.tf").read_text()
    blocks = dict(re.findall(r'^variable "(\w+)" {\n(.*?)^}', source, re.MULTILINE | re.DOTALL))
    defaults = {
        name: re.search(r"^  default\s+= (.+)$", block, re.MULTILINE) for name, block in blocks.items()
    }
    section = (MODULE / "README.md").read_text().split("\n## Inputs\n")[1].split("\n## ")[0]
    listed = dict(re.findall(r"^\| `(\w+)` \| .* \| (.+?) \|$", section, re.MULTILINE))
    assert listed == {name: f"`{found[1]}`" if found else "required" for name, found in defaults.items()}


def test_the_store_url_has_only_options_of_a_store():
    options = re.findall(r"[?&](\w+)=", (MODULE / "outputs.tf").read_text())
    assert options
    assert set(options) <= S3_CHECKS.keys()


def test_the_function_is_deployed_from_the_path_of_its_package():
    example = MODULE / "examples" / "lambda"
    found = re.search(r'"\$\{path\.module\}/(.+)"', (example / "main.tf").read_text())
    assert found
    assert (example / found[1]).resolve() == PROJECT / "dist" / "lambda-${var.architecture}.zip"
