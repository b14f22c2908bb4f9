"""The packs that ship with Aloi, one name per entry point of the group `aloi.frameworks`."""

from importlib.resources import files

from aloi.standards.frameworks import FrameworkFiles


def _shipped(key: str) -> FrameworkFiles:
    here = files("aloi.standards") / "data"
    rows = here / "mappings" / f"{key}.yaml"
    return FrameworkFiles(pack=here / "frameworks" / f"{key}.yaml", mapping=rows if rows.is_file() else None)


owasp_llm_2026 = _shipped("owasp-llm@2026")
nist_ai_rmf_1_0 = _shipped("nist-ai-rmf@1.0")
eu_ai_act_2026_07_27 = _shipped("eu-ai-act@2026-07-27")
owasp_agentic_2026 = _shipped("owasp-agentic@2026")
nist_ai_600_1_2024_07 = _shipped("nist-ai-600-1@2024-07")
eu_gpai_code_2025_07_10 = _shipped("eu-gpai-code@2025-07-10")
iso_iec_42001_2023 = _shipped("iso-iec-42001@2023")
anssi_genai_2024_04 = _shipped("anssi-genai@2024-04")
mitre_atlas_2026_09 = _shipped("mitre-atlas@2026.09")
eu_content_code_2026_06_10 = _shipped("eu-content-code@2026-06-10")
etsi_en_304_223_2_1_1 = _shipped("etsi-en-304-223@2.1.1")
owasp_aisvs_1_0 = _shipped("owasp-aisvs@1.0")
